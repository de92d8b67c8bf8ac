public import GlobalPointer
public import Inference
internal import GRPCChannel

/// A relation model on a Triton server, behind the same seam as the embedded engine.
///
/// ```swift
/// let client = try TritonClient("localhost:8001")
/// let engine = try await TritonEngine(client: client, model: "spo_onnx", shape: shape)
/// ```
///
/// Dense answers are decoded where they were received: a row of entity logits at a time, and of
/// so_head and so_tail only the cells that decoding reads.
public struct TritonEngine: InferenceEngine {
  /// What to ask of the server.
  public struct Configuration: Sendable {
    /// The version; empty lets the server choose.
    public var version = ""
    /// Which tensor plays which role; nil tries the known namings.
    public var names: TensorNames?
    /// Bytes of one answer: below gRPC's 2^31 - 1, and what one request may hold in memory.
    public var answerBytes = 256 << 20
    /// Requests in flight; nil takes two for each instance, so that one waits while one runs.
    public var concurrency: Int?
    /// What calls change of the client's settings.
    public var call = TritonClient.CallChanges()

    /// The defaults.
    public init() {}
  }

  /// The model's tensors.
  public let contract: ModelContract
  /// The sizes that vocabulary and schema fix.
  public let shape: ModelShape
  /// What one call may hold.
  public let limits: EngineLimits
  private let client: TritonClient
  private let configuration: Configuration

  /// Asks the server for the model's contract and checks that it fits.
  ///
  /// - Parameter shape: vocabulary size, P and longest sentence, from the bundle that the model
  ///   was exported from.
  /// - Throws: `TritonError`; of class `size` when not even one longest sentence fits an answer.
  public init(
    client: TritonClient, model: String, shape: ModelShape, configuration: Configuration = .init()
  ) async throws {
    var contract = try await client.contract(
      of: model, version: configuration.version, names: configuration.names, configuration.call)
    if contract.predicates == nil {
      contract.predicates = try await client.countPredicates(contract, configuration.call)
    }
    self.contract = contract
    try contract.require(predicates: shape.predicates)
    (self.client, self.configuration) = (client, configuration)
    self.shape = ModelShape(
      vocabularySize: shape.vocabularySize, predicates: shape.predicates,
      maximumTokens: min(shape.maximumTokens, contract.tokens ?? .max))
    limits = EngineLimits(
      batchRows: contract.maxBatchSize,
      batchTokens: max(1_024, self.shape.maximumTokens),
      concurrency: max(1, configuration.concurrency ?? 2 * contract.instances))
    try requireRoom()
  }

  /// Runs the batch as one request, or as several when its answer would be too large.
  ///
  /// - Throws: `TritonError`, `InferenceError`, `CancellationError`.
  public func infer(_ batch: InferenceBatch, threshold: Float) async throws -> [SentenceCandidates]
  {
    guard threshold.isFinite else {
      throw InferenceError(
        code: .invalidRequest, message: "the threshold is \(threshold), expected a finite logit")
    }
    for row in 0..<batch.rowCount { try check(batch.range(of: row).count, row: row) }
    var answers: [SentenceCandidates] = []
    answers.reserveCapacity(batch.rowCount)
    var first = 0
    while first < batch.rowCount {
      let rows = first..<cut(batch, from: first)
      let dense = try await ask(batch, rows)
      for row in rows {
        answers.append(
          try dense.decode(row - first, batch.range(of: row).count, threshold, reportedAs: row))
      }
      first = rows.upperBound
    }
    return answers
  }

  /// The four logits of each query; see `InferenceEngine.scores`.
  public func scores(of queries: [TripleQuery], in ids: [Int32]) async throws -> [ScoreParts] {
    try check(ids.count, row: 0)
    let dense = try await ask(InferenceBatch([ids]), 0..<1)
    return try queries.map { query in
      guard (0..<shape.predicates).contains(query.predicate),
        [query.subject, query.object].allSatisfy({
          $0.start >= 0 && $0.start <= $0.end && Int($0.end) < ids.count
        })
      else {
        throw InferenceError(
          code: .invalidRequest,
          message: "the query \(query) lies outside \(ids.count) tokens and "
            + "\(shape.predicates) predicates")
      }
      return dense.scores(of: query)
    }
  }

  private func ask(_ batch: InferenceBatch, _ rows: Range<Int>) async throws -> DenseAnswer {
    let padded = PaddedBatch(batch, rows, length: contract.tokens)
    let request = padded.request(contract)
    let result = try await client.infer(request, configuration.call)
    return try DenseAnswer(result, contract, padded, predicates: shape.predicates)
  }

  /// Where the request that begins with a row ends: padding makes every row as long as the longest.
  private func cut(_ batch: InferenceBatch, from first: Int) -> Int {
    var longest = 0
    for row in first..<batch.rowCount {
      longest = max(longest, contract.tokens ?? batch.range(of: row).count)
      let most = contract.rows(
        tokens: longest, predicates: shape.predicates, within: configuration.answerBytes)
      // Below one row the limit is the user's memory, which `requireRoom` has compared.
      if row - first + 1 > max(most, 1) { return row }
    }
    return batch.rowCount
  }

  private func check(_ tokens: Int, row: Int) throws {
    guard (2...shape.maximumTokens).contains(tokens) else {
      throw InferenceError(
        code: .invalidRequest,
        message: "row \(row) has \(tokens) tokens, expected 2...\(shape.maximumTokens); "
          + "split the text into windows", row: row)
    }
  }

  private func requireRoom() throws {
    let bytes = contract.answerBytes(tokens: shape.maximumTokens, predicates: shape.predicates)
    let limit = min(configuration.answerBytes, Int(Int32.max))
    guard bytes > limit else { return }
    throw TritonError(
      code: .size,
      message: "one sentence of \(shape.maximumTokens) tokens gives an answer of \(bytes) bytes, "
        + "the limit is \(limit)",
      remedy: "use shorter windows, a larger limit (below 2^31) or a compact model")
  }
}
