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
  private let spanLimit, tripleLimit: Int
  private let rows, length, predicates: Int
  private let model: String

  /// Checks the shapes against what was asked.
  ///
  /// - Throws: `TritonError` of class `contract`, with expected and got.
  init(
    _ result: InferResult, _ contract: ModelContract, _ batch: PaddedBatch, predicates: Int
  ) throws {
    guard case .compact(let names) = contract.answer else {
      preconditionFailure("the contract is dense")
    }
    (rows, length, self.predicates) = (batch.rows, batch.length, predicates)
    (model, tripleLimit) = (contract.model, try Self.dimension(1, of: names.triples, result))
    spanLimit = try Self.dimension(2, of: names.spanScores, result)
    func array<Element: TensorElement>(
      _ tensor: ModelContract.Tensor, _ rest: [Int], _ type: Element.Type
    ) throws -> [Element] {
      let output = try result.output(tensor.name)
      let expected = [batch.rows] + rest
      guard output.shape == expected, output.datatype == type.datatype,
        output.bytes.count == expected.reduce(MemoryLayout<Element>.size, *)
      else {
        throw TritonError(
          code: .contract,
          message: "model \(contract.model) gave \(tensor.name) as \(output.datatype) "
            + "\(output.shape), expected \(type.datatype) \(expected)",
          remedy: "serve spo_decode and its ensembles as they are, or a new compact export")
      }
      return output.bytes.array(of: type)
    }
    triples = try array(names.triples, [tripleLimit, 5], Int32.self)
    scores = try array(names.scores, [tripleLimit, 4], Float.self)
    spans = try array(names.spans, [2, spanLimit, 2], Int32.self)
    spanScores = try array(names.spanScores, [2, spanLimit], Float.self)
    notFinite = try array(names.notFinite, [1], Int32.self)
  }

  private static func dimension(
    _ place: Int, of tensor: ModelContract.Tensor, _ result: InferResult
  ) throws -> Int {
    let shape = try result.output(tensor.name).shape
    guard shape.indices.contains(place), shape[place] > 0 else {
      throw TritonError(
        code: .contract, message: "\(result.modelName) gave \(tensor.name) with shape \(shape)",
        remedy: "serve spo_decode and its ensembles as they are, or a new compact export")
    }
    return shape[place]
  }

  /// One sentence's spans and triples; nil when there may be more than the answer has room for, or
  /// when a logit that counts is not finite: the dense answer tells.
  ///
  /// - Throws: `TritonError` of class `contract` when it names tokens or predicates that are not.
  func decode(_ row: Int, _ realTokens: Int, _ threshold: Float) throws -> SentenceCandidates? {
    guard notFinite[row] == 0, let subjects = try spans(row, 0, realTokens, threshold),
      let objects = try spans(row, 1, realTokens, threshold)
    else { return nil }
    var found: [TripleCandidate] = []
    for triple in try checked(row, realTokens, above: threshold) {
      let parts = triple.parts
      guard parts.head.isFinite, parts.tail.isFinite else { return nil }
      if parts.score > threshold { found.append(triple) }
    }
    if found.count == tripleLimit { return nil }
    found.sort(by: TripleCandidate.precedes)
    return SentenceCandidates(subjects: subjects, objects: objects, triples: found)
  }

  /// The triples of a row as they came, without those that only fill the tensor.
  func triples(_ row: Int) -> [TripleCandidate] {
    (row * tripleLimit..<(row + 1) * tripleLimit).compactMap { place in
      let (t, s) = (triples[5 * place..<5 * place + 5], scores[4 * place..<4 * place + 4])
      guard s[s.startIndex] > -.greatestFiniteMagnitude else { return nil }
      func token(_ index: Int) -> Int { Int(t[t.startIndex + index]) }
      return TripleCandidate(
        predicate: token(0), subject: TokenSpan(start: token(1), end: token(2)),
        object: TokenSpan(start: token(3), end: token(4)),
        parts: ScoreParts(
          subject: s[s.startIndex], object: s[s.startIndex + 1], head: s[s.startIndex + 2],
          tail: s[s.startIndex + 3]))
    }
  }

  /// Spans of one kind above the threshold, in order; nil when all K are.
  private func spans(
    _ row: Int, _ kind: Int, _ realTokens: Int, _ threshold: Float
  ) throws -> [ScoredSpan]? {
    var found: [ScoredSpan] = []
    for place in (2 * row + kind) * spanLimit..<(2 * row + kind + 1) * spanLimit {
      guard spanScores[place] > threshold else { continue }
      let (start, end) = (Int(spans[2 * place]), Int(spans[2 * place + 1]))
      try require(start, end, realTokens)
      found.append(
        ScoredSpan(span: TokenSpan(start: start, end: end), score: spanScores[place]))
    }
    if found.count == spanLimit { return nil }
    found.sort { $0.span < $1.span }
    return found
  }

  /// The triples whose spans are above the threshold.
  private func checked(
    _ row: Int, _ realTokens: Int, above threshold: Float
  ) throws -> [TripleCandidate] {
    let all = triples(row).filter { min($0.parts.subject, $0.parts.object) > threshold }
    for triple in all {
      for span in [triple.subject, triple.object] {
        try require(Int(span.start), Int(span.end), realTokens)
      }
      guard (0..<predicates).contains(triple.predicate) else {
        throw fault("predicate \(triple.predicate) of \(predicates)")
      }
    }
    return all
  }

  private func require(_ start: Int, _ end: Int, _ realTokens: Int) throws {
    guard start >= 1, start <= end, end <= realTokens - 2 else {
      throw fault("the span \(start)...\(end) in a sentence of \(realTokens) tokens")
    }
  }

  private func fault(_ what: String) -> TritonError {
    TritonError(
      code: .contract, message: "model \(model) named \(what)",
      remedy: "the bundle's schema and the served model must be of one export")
  }
}
