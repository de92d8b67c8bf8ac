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

  /// Checks the shapes against what was asked.
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
      let size = expected.reduce(output.datatype.byteCount ?? 0, *)
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

  /// The four logits of one triple in the first row.
  func scores(of query: TripleQuery) -> ScoreParts {
    func cell(_ view: LogitView, _ head: Int, _ row: Int32, _ column: Int32) -> Float {
      view[(head * length + Int(row)) * length + Int(column)]
    }
    let (subject, object) = (query.subject, query.object)
    return ScoreParts(
      subject: cell(entity, 0, subject.start, subject.end),
      object: cell(entity, 1, object.start, object.end),
      head: cell(soHead, query.predicate, subject.start, object.start),
      tail: cell(soTail, query.predicate, subject.end, object.end))
  }
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
    func run<Element: BitwiseCopyable>(_ convert: (Element) -> Float) -> [Float] {
      let size = MemoryLayout<Element>.size
      let elements = [Element](unsafeUninitializedCapacity: range.count) { target, count in
        bytes.copy(
          range.lowerBound * size..<range.upperBound * size,
          to: UnsafeMutableRawBufferPointer(target))
        count = range.count
      }
      return elements as? [Float] ?? elements.map(convert)
    }
    return switch datatype {
    case .fp16: run { (half: Float16) in Float(half) }
    case .bf16: run { (half: BFloat16) in half.float }
    default: run { (single: Float) in single }
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
