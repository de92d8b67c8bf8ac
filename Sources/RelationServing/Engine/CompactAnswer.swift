internal import GlobalPointer
internal import Inference
internal import Triton

/// The best spans and triples of one answer: what the server decoded.
struct CompactAnswer {
  private let triples: [Int32]
  private let scores: [Float]
  private let spans: [Int32]
  private let spanScores: [Float]
  private let notFinite: [Int32]
  /// K and T, whatever the configuration says.
  let spanLimit, tripleLimit: Int
  private let predicates: Int
  private let model: String

  /// The score of what only fills the tensors.
  static let lowest = -Float.greatestFiniteMagnitude

  /// Checks version and shapes against what was asked.
  ///
  /// - Throws: `TritonError` of class `contract`, with expected and got.
  init(
    _ result: InferResult, _ contract: ModelContract, _ batch: PaddedBatch, predicates: Int
  ) throws {
    guard case .compact(let names) = contract.answer else {
      preconditionFailure("the contract is dense")
    }
    try contract.require(version: result.modelVersion)
    (self.predicates, model) = (predicates, contract.model)
    tripleLimit = try Self.dimension(1, of: names.triples, result)
    spanLimit = try Self.dimension(2, of: names.spanScores, result)
    func array<Element: TensorElement>(
      _ tensor: ModelContract.Tensor, _ rest: [Int], _ type: Element.Type
    ) throws -> [Element] {
      let output = try result.output(tensor.name)
      let expected = [batch.rows] + rest
      guard output.shape == expected, output.datatype == type.datatype,
        output.bytes.count == saturatingProduct(expected + [MemoryLayout<Element>.size])
      else {
        throw TritonError(
          code: .contract,
          message: "model \(contract.model) gave \(tensor.name) as \(output.datatype) "
            + "\(output.shape) in \(output.bytes.count) bytes, expected \(type.datatype) "
            + "\(expected)", remedy: Self.remedy)
      }
      return output.bytes.array(of: type)
    }
    triples = try array(names.triples, [tripleLimit, 5], Int32.self)
    scores = try array(names.scores, [tripleLimit, 4], Float.self)
    spans = try array(names.spans, [2, spanLimit, 2], Int32.self)
    spanScores = try array(names.spanScores, [2, spanLimit], Float.self)
    notFinite = try array(names.notFinite, [1], Int32.self)
  }

  private static let remedy =
    "serve spo_decode and its ensembles as they are, or a new compact export"

  private static func dimension(
    _ place: Int, of tensor: ModelContract.Tensor, _ result: InferResult
  ) throws -> Int {
    let shape = try result.output(tensor.name).shape
    guard shape.indices.contains(place), SizeBounds.dimension.contains(shape[place]) else {
      throw TritonError(
        code: .contract, message: "\(result.modelName) gave \(tensor.name) with shape \(shape)",
        remedy: remedy)
    }
    return shape[place]
  }

  /// Entity logits of a row that are not finite, as the server counted them.
  func notFiniteCount(_ row: Int) -> Int { Int(notFinite[row]) }

  /// One sentence's spans and triples; nil when there may be more than the answer has room for, or
  /// when a logit that counts is not finite: the dense answer tells.
  ///
  /// - Throws: `TritonError` of class `contract` when it names tokens or predicates that are not,
  ///   one triple or span twice, or a NaN that it does not own up to.
  func decode(_ row: Int, _ realTokens: Int, _ threshold: Float) throws -> SentenceCandidates? {
    guard notFinite[row] == 0 else { return nil }
    var subjects = try listedSpans(row, 0, realTokens, above: threshold)
    var objects = try listedSpans(row, 1, realTokens, above: threshold)
    guard subjects.count < spanLimit, objects.count < spanLimit else { return nil }
    var found: [TripleCandidate] = []
    for triple in try listedTriples(row, realTokens, above: threshold) {
      guard triple.parts.head.isFinite, triple.parts.tail.isFinite else { return nil }
      if triple.parts.score > threshold { found.append(triple) }
    }
    if found.count == tripleLimit { return nil }
    subjects.sort { $0.span < $1.span }
    objects.sort { $0.span < $1.span }
    found.sort(by: TripleCandidate.precedes)
    return SentenceCandidates(subjects: subjects, objects: objects, triples: found)
  }

  /// A row's spans of one kind whose logit is above the threshold, as they came, each checked.
  func listedSpans(
    _ row: Int, _ kind: Int, _ realTokens: Int, above threshold: Float = lowest
  ) throws -> [ScoredSpan] {
    var found: [ScoredSpan] = []
    let first = (2 * row + kind) * spanLimit
    for place in first..<first + spanLimit where !(spanScores[place] <= threshold) {
      let span = try span(spans[2 * place], spans[2 * place + 1], realTokens)
      try requireFinite(spanScores[place], "the span \(span.start)...\(span.end)")
      found.append(ScoredSpan(span: span, score: spanScores[place]))
    }
    guard Set(found.map(\.span)).count == found.count else { throw fault("one span twice") }
    return found
  }

  /// A row's triples whose two spans are above the threshold, as they came, each checked.
  func listedTriples(
    _ row: Int, _ realTokens: Int, above threshold: Float = lowest
  ) throws -> [TripleCandidate] {
    var found: [TripleCandidate] = []
    var seen: Set<TripleQuery> = []
    for place in row * tripleLimit..<(row + 1) * tripleLimit {
      let (subject, object) = (scores[4 * place], scores[4 * place + 1])
      // Not "min(…) > threshold": a NaN would hide a triple.
      if subject <= threshold || object <= threshold { continue }
      let predicate = Int(triples[5 * place])
      guard (0..<predicates).contains(predicate) else {
        throw fault("predicate \(predicate), expected 0..<\(predicates)")
      }
      let query = TripleQuery(
        predicate: predicate,
        subject: try span(triples[5 * place + 1], triples[5 * place + 2], realTokens),
        object: try span(triples[5 * place + 3], triples[5 * place + 4], realTokens))
      for score in [subject, object] { try requireFinite(score, "a triple's span") }
      guard seen.insert(query).inserted else { throw fault("one triple twice") }
      let parts = ScoreParts(
        subject: subject, object: object, head: scores[4 * place + 2],
        tail: scores[4 * place + 3])
      found.append(
        TripleCandidate(
          predicate: predicate, subject: query.subject, object: query.object, parts: parts))
    }
    return found
  }

  private func span(_ start: Int32, _ end: Int32, _ realTokens: Int) throws -> TokenSpan {
    guard start >= 1, start <= end, Int(end) <= realTokens - 2 else {
      throw fault("the span \(start)...\(end) in a sentence of \(realTokens) tokens")
    }
    return TokenSpan(start: Int(start), end: Int(end))
  }

  private func requireFinite(_ score: Float, _ what: String) throws {
    guard !score.isFinite else { return }
    throw fault("\(what) with the logit \(score), though it counts none that is not finite")
  }

  private func fault(_ what: String) -> TritonError {
    TritonError(
      code: .contract, message: "model \(model) named \(what)",
      remedy: "the bundle's schema and the served model must be of one export")
  }
}
