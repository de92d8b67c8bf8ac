internal import GlobalPointer
internal import Inference
internal import Triton

/// The three dense tensors of one answer, where gRPC received them or the server wrote them.
struct DenseAnswer {
  private let entity: LogitView
  private let soHead: LogitView
  private let soTail: LogitView
  private let length: Int
  private let predicates: Int

  /// Checks version and shapes against what was asked.
  ///
  /// - Parameter shared: the outputs that the server wrote to shared memory.
  /// - Throws: `TritonError` of class `contract`, with expected and got.
  init(
    _ result: InferResult, _ contract: ModelContract, _ batch: PaddedBatch, predicates: Int,
    shared: [String: TensorBytes] = [:]
  ) throws {
    guard case .dense(let tensors) = contract.answer else {
      preconditionFailure("the contract is compact")
    }
    try contract.require(version: result.modelVersion)
    func view(_ tensor: ModelContract.Tensor, heads: Int) throws -> LogitView {
      let output = try result.output(tensor.name)
      let expected = [batch.rows, heads, batch.length, batch.length]
      guard output.shape == expected, output.datatype == tensor.datatype else {
        throw TritonError(
          code: .contract,
          message: "model \(contract.model) gave \(tensor.name) as \(output.datatype) "
            + "\(output.shape), expected \(tensor.datatype) \(expected)",
          remedy: "the bundle's schema and the served model must be of one export")
      }
      // An answer that says its bytes lie in shared memory brings none.
      let bytes = shared[tensor.name] ?? output.bytes
      let size = saturatingProduct(expected + [output.datatype.byteCount ?? 0])
      guard bytes.count == size else {
        throw TritonError(
          code: .contract,
          message: "model \(contract.model) gave \(tensor.name) with \(bytes.count) bytes, "
            + "expected \(size)")
      }
      return LogitView(bytes, output.datatype)
    }
    entity = try view(tensors.entity, heads: 2)
    soHead = try view(tensors.soHead, heads: predicates)
    soTail = try view(tensors.soTail, heads: predicates)
    (length, self.predicates) = (batch.length, predicates)
  }

  /// One sentence's spans and triples; `row` counts within this answer.
  func decode(
    _ row: Int, _ realTokens: Int, _ threshold: Float, reportedAs batchRow: Int
  ) throws -> SentenceCandidates {
    do {
      let block = 2 * length * length
      let logits = entity.floats(row * block..<(row + 1) * block)
      let layout = LogitLayout.dense(heads: 2, length: length)
      func spans(_ kind: Int) throws -> [ScoredSpan] {
        try scanSpans(
          logits.span, layout, head: kind, realTokens: realTokens, threshold: threshold)
      }
      var decoder = PairDecoder(
        subjects: try spans(0), objects: try spans(1), threshold: threshold)
      if decoder.isEmpty { return decoder.finish() }
      var heads: [Float] = []
      var tails: [Float] = []
      for predicate in 0..<predicates {
        let first = (row * predicates + predicate) * length * length
        soHead.gather(first, length, decoder.subjectStarts, decoder.objectStarts, into: &heads)
        soTail.gather(first, length, decoder.subjectEnds, decoder.objectEnds, into: &tails)
        try decoder.take(predicate: predicate, heads: heads.span, tails: tails.span)
      }
      return decoder.finish()
    } catch let error as DecodeError {
      throw InferenceError(
        code: .badLogits, message: "row \(batchRow): \(error)", row: batchRow, cause: error)
    }
  }

  /// The four logits of one triple in the first row. Traps for tokens or predicates that are not:
  /// callers check.
  func scores(of query: TripleQuery) -> ScoreParts {
    func cell(_ view: LogitView, _ heads: Int, _ head: Int, _ m: Int32, _ n: Int32) -> Float {
      precondition(head < heads && m < length && n < length, "a query lies within its sentence")
      return view[(head * length + Int(m)) * length + Int(n)]
    }
    let (subject, object) = (query.subject, query.object)
    return ScoreParts(
      subject: cell(entity, 2, 0, subject.start, subject.end),
      object: cell(entity, 2, 1, object.start, object.end),
      head: cell(soHead, predicates, query.predicate, subject.start, object.start),
      tail: cell(soTail, predicates, query.predicate, subject.end, object.end))
  }

  /// Every span that a sentence could have, with its entity logit of one kind, whatever that is.
  func spans(_ row: Int, _ kind: Int, _ realTokens: Int) -> [ScoredSpan] {
    guard realTokens > 2 else { return [] }
    return (1...realTokens - 2).flatMap { start in
      (start...realTokens - 2).map { end in
        ScoredSpan(
          span: TokenSpan(start: start, end: end),
          score: entity[((2 * row + kind) * length + start) * length + end])
      }
    }
  }

  /// Whether the logits between the first tokens of the first row are another answer's too, but for
  /// what two executions may differ by. Logits that are not numbers prove nothing.
  func agrees(with other: DenseAnswer, tokens: Int) -> Bool {
    var finite = 0
    for (ours, theirs, heads) in [
      (entity, other.entity, 2), (soHead, other.soHead, predicates),
      (soTail, other.soTail, predicates),
    ] {
      for cell in 0..<heads * tokens * tokens {
        let (head, m, n) = (cell / (tokens * tokens), cell / tokens % tokens, cell % tokens)
        let place = (head * length + m) * length + n
        let (a, b) = (ours[place], theirs[place])
        if a.isFinite { finite += 1 }
        guard a.isClose(to: b) || (!a.isFinite && !b.isFinite) else { return false }
      }
    }
    return finite > 0
  }
}

extension Float {
  /// Whether two numbers can be one logit of one model, computed twice or in half precision. Logits
  /// of two exports differ by far more.
  func isClose(to other: Float) -> Bool { abs(self - other) <= Self.slack(at: self) }

  /// By how much one logit may differ from itself.
  static func slack(at value: Float) -> Float { 0.1 + abs(value) / 50 }
}

/// Logits of one output as Float, whatever type they have on the wire.
private struct LogitView {
  private let bytes: TensorBytes
  private let datatype: Datatype

  init(_ bytes: TensorBytes, _ datatype: Datatype) {
    (self.bytes, self.datatype) = (bytes, datatype)
  }

  subscript(_ index: Int) -> Float {
    switch datatype {
    case .fp16: Float(bytes.load(index, as: Float16.self))
    case .bf16: bytes.load(index, as: BFloat16.self).float
    default: bytes.load(index, as: Float.self)
    }
  }

  /// A run of logits, copied.
  func floats(_ range: Range<Int>) -> [Float] {
    func run<Element: BitwiseCopyable>(_ convert: ([Element]) -> [Float]) -> [Float] {
      let size = MemoryLayout<Element>.size
      let elements = [Element](unsafeUninitializedCapacity: range.count) { target, count in
        bytes.copy(
          range.lowerBound * size..<range.upperBound * size,
          to: UnsafeMutableRawBufferPointer(target))
        count = range.count
      }
      return convert(elements)
    }
    return switch datatype {
    case .fp16: run { (halves: [Float16]) in halves.map { Float($0) } }
    case .bf16: run { (halves: [BFloat16]) in halves.map(\.float) }
    default: run { (singles: [Float]) in singles }
    }
  }

  /// The cells (row, column) of the [length, length] matrix that begins at `first`.
  func gather(
    _ first: Int, _ length: Int, _ rows: [Int32], _ columns: [Int32], into grid: inout [Float]
  ) {
    grid.removeAll(keepingCapacity: true)
    for row in rows {
      for column in columns { grid.append(self[first + Int(row) * length + Int(column)]) }
    }
  }
}
