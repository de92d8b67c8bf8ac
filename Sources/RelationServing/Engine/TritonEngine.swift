public import GlobalPointer
public import Inference
public import Logging
public import RelationBundle
public import Triton

/// A relation model on a Triton server, behind the same seam as the embedded engine.
///
/// ```swift
/// let client = try TritonClient("localhost:8001")
/// let engine = try await TritonEngine(client: client, model: "spo_onnx", shape: shape)
/// print(engine.plan.explanation)
/// ```
///
/// The server's repository decides how it is asked; see `ServingRoute`. Compact answers are exact:
/// one that may have been cut is asked again densely. Dense answers are decoded where they were
/// received: a row of entity logits at a time, and of so_head and so_tail only the cells that
/// decoding reads.
public struct TritonEngine: InferenceEngine {
  /// What to ask of the server.
  public struct Configuration: Sendable {
    /// The version; empty lets the server choose.
    public var version = ""
    /// Which tensor plays which role; nil tries the known namings.
    public var names: TensorNames?
    /// The way to take; nil takes the best that there is.
    public var route: ServingRoute?
    /// Bytes of one dense answer: below gRPC's 2^31 - 1.
    public var answerBytes = 256 << 20
    /// Bytes of all answers in flight.
    public var memory = 1 << 30
    /// Bytes of the dense tensors that one request to an ensemble makes inside the server, where
    /// the dense model's batcher may join several.
    public var serverBytes = 256 << 20
    /// Requests in flight; nil finds the number by itself, see `ConcurrencyRule`'s source.
    public var concurrency: Int?
    /// How long a request that the server refuses for overload is sent again.
    public var overloadPatience: Duration = .seconds(120)
    /// How long a request is sent again whose servers are away, counted from its first loss; nil
    /// takes the client's own patience.
    public var outagePatience: Duration?
    /// How long a compact model may take for a trial sentence before it is left out.
    public var companionPatience: Duration = .seconds(30)
    /// What calls change of the client's settings.
    public var call = CallOptions()
    /// Told of lost servers, of lesser ways and of memory that a server keeps.
    public var logger = Logger(label: "spo.serving", factory: { _ in SwiftLogNoOpLogHandler() })

    /// The defaults.
    public init() {}
  }

  /// How it is asked, and why so.
  public let plan: ServingPlan
  /// The sizes that vocabulary and schema fix.
  public let shape: ModelShape
  /// What one call may hold.
  public let limits: EngineLimits
  private let client: TritonClient
  private let dispatcher: Dispatcher
  private let compact: CompactRoute?
  private let dense: DenseRoute?
  private let tally: EngineTally

  /// Looks at the server's repository and checks that the model fits.
  ///
  /// - Parameter shape: vocabulary size, P and longest sentence, from the bundle that the model
  ///   was exported from.
  /// - Throws: `TritonError`; of class `size` when not even one longest sentence fits an answer.
  public init(
    client: TritonClient, model: String, shape: ModelShape, configuration: Configuration = .init()
  ) async throws {
    try configuration.check()
    let discovery = PlanDiscovery(
      client: client, model: model, shape: shape, configuration: configuration)
    let plan = try await discovery.plan()
    let contract = plan.primary.contract!  // a plan takes only what has one
    (self.plan, self.client) = (plan, client)
    self.shape = ModelShape(
      vocabularySize: shape.vocabularySize, predicateCount: shape.predicateCount,
      maximumTokens: min(shape.maximumTokens, contract.tokens ?? .max))
    let dispatcher = Dispatcher(
      client, configuration,
      instances: saturatingProduct(contract.instances, client.serverCount))
    // An export that decodes never makes the dense tensors.
    let serverBytes = plan.primary.route == .compactNative ? .max : configuration.serverBytes
    let bytes = contract.isCompact ? serverBytes : configuration.answerBytes
    let tally = EngineTally(logger: configuration.logger)
    (self.dispatcher, self.tally) = (dispatcher, tally)
    compact =
      plan.primary.route.isCompact
      ? CompactRoute(
        contract: contract, predicates: shape.predicateCount, dispatcher: dispatcher,
        serverBytes: serverBytes, hasReserve: plan.dense != nil) : nil
    let behind = compact == nil ? plan.primary : plan.dense
    dense = behind.map { option in
      DenseRoute(
        contract: option.contract!, predicates: shape.predicateCount, dispatcher: dispatcher,
        regions: option.route == .denseSharedMemory
          ? RegionPool(.init(client), logger: configuration.logger) : nil,
        answerBytes: configuration.answerBytes, tally: tally)
    }
    limits = EngineLimits(
      batchRows: contract.maxBatchSize, batchTokens: max(8_192, self.shape.maximumTokens),
      concurrency: dispatcher.ceiling, padsRows: true,
      batchCells: max(1, bytes / contract.denseBytes(tokens: 1, predicates: shape.predicateCount)))
    try contract.requireRoom(for: shape, within: configuration.answerBytes)
  }

  /// As `init(client:model:shape:configuration:)`, with the sizes of the bundle that the model was
  /// exported from.
  public init(
    client: TritonClient, model: String, bundle: ModelBundle,
    configuration: Configuration = .init()
  ) async throws {
    try await self.init(
      client: client, model: model, shape: bundle.modelShape, configuration: configuration)
  }

  /// What it has done so far.
  public var statistics: EngineStatistics {
    var statistics = tally.statistics
    let client = client.statistics
    let counts = dispatcher.counts
    (statistics.requests, statistics.overloads) = (counts.requests, counts.overloads)
    statistics.outages = counts.outages
    (statistics.encoding, statistics.decoding) = (counts.encoding, counts.decoding)
    statistics.concurrency = dispatcher.limit
    (statistics.bytesSent, statistics.bytesReceived) = (client.bytesSent, client.bytesReceived)
    return statistics
  }

  /// The model that is asked first, the version that answers, and the way to it.
  public var identity: EngineIdentity {
    EngineIdentity(
      engine: "triton", model: plan.primary.model, version: plan.primary.contract?.servedVersion,
      mode: plan.primary.route.rawValue, server: client.target)
  }

  /// Gives back the memory that it shares with the server. The engine can still be used.
  ///
  /// Returns once that is done, at most ten seconds later. What the server does not give back by
  /// then is logged, and the next client on this machine finds it.
  public func close() async { await dense?.regions?.close() }

  /// Runs the batch as one request, or as several when its answer would be too large.
  public func run(_ batch: InferenceBatch, threshold: Float) async throws(InferenceError)
    -> [SentenceCandidates]
  {
    try await translatingErrors { try await answers(to: batch, threshold: threshold) }
  }

  /// The four logits of each query; see `InferenceEngine.scores`.
  public func runScores(of queries: [TripleQuery], in ids: [Int32]) async throws(InferenceError)
    -> [ScoreParts]
  {
    try await translatingErrors {
      try await required(dense).ask(InferenceBatch([ids]), 0..<1) { logits in
        queries.map(logits.scores)
      }
    }
  }

  private func answers(
    to batch: InferenceBatch, threshold: Float
  ) async throws -> [SentenceCandidates] {
    guard let compact, dense == nil || !tally.isMostlyCut else {
      let rows = Array(0..<batch.rowCount)
      let answers = try await required(dense).infer(batch, rows: rows, threshold: threshold)
      tally.count(sentences: rows.count)
      return answers
    }
    var fellBack = 0
    var failure: TritonError?
    var answers = try await compact.infer(batch, threshold: threshold) { rows, error in
      (fellBack, failure) = (fellBack + rows, error)
      tally.fellBack(rows, error)
    }
    let again = answers.indices.filter { answers[$0] == nil }
    if !again.isEmpty {
      if dense == nil, let failure { throw failure }
      let exact = try await required(dense, for: again[0])
        .infer(batch, rows: again, threshold: threshold)
      for (row, answer) in zip(again, exact) { answers[row] = answer }
    }
    tally.count(sentences: batch.rowCount, askedAgain: again.count - fellBack)
    return answers.compactMap(\.self)  // none is nil now: infer counts them
  }

  private func required(_ dense: DenseRoute?, for row: Int? = nil) throws -> DenseRoute {
    if let dense { return dense }
    throw InferenceError(
      code: .badModel,
      message:
        "\(row.map { "row \($0) has more spans or triples than" } ?? "this needs logits that") "
        + "\(plan.primary.model) tells, and no dense model stands behind it; serve one beside it, "
        + "name it as compact_of, or raise the threshold", row: row)
  }
}
