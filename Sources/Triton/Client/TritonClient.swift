@_exported public import GRPCChannel
public import Logging
internal import Synchronization

/// A client of one NVIDIA Triton server, or of several behind one target, over gRPC.
///
/// ```swift
/// let client = try TritonClient("localhost:8001")
/// let result = try await client.infer(
///   InferRequest("sum", inputs: [InferInput("A", shape: [1, 3], [1, 2, 3] as [Int32])]))
/// await client.close()
/// ```
///
/// Every call ends with its task. Control calls go over a connection of their own, so that a
/// health check never waits behind a large answer. Source: Triton's `GRPCInferenceService`.
public final class TritonClient: Sendable {
  /// How it connects and calls.
  public struct Configuration: Sendable {
    /// TLS, proxy, load balancing, windows, the longest answer.
    public var channel = ChannelConfiguration()
    /// From the start of a call to the last byte of its answer, retries and pauses included. Time
    /// lost to a server that was away comes on top, as far as `retry.patience` goes.
    public var timeout: Duration = .seconds(60)
    /// Headers of every call.
    public var metadata: Metadata = [:]
    /// Headers that change, asked for before each attempt.
    public var headerProvider: HeaderProvider?
    /// How requests are compressed.
    public var compression = Compression.none
    /// When a failed call is made again.
    public var retry = RetryPolicy()
    /// Told of servers that go away and come back (warning, notice), and of retries (debug); never
    /// of headers. Tells nobody by default.
    public var logger = Logger(label: "triton") { _ in SwiftLogNoOpLogHandler() }

    /// The defaults.
    public init() {}
  }

  /// The longest answer to a call that is no inference: an index of 100,000 models has 10 MB.
  public static let maximumControlMessageBytes = 64 << 20

  /// The target as it was given.
  public let target: String
  /// How it connects and calls.
  public let configuration: Configuration
  let pool: ServerPool
  private let state: Mutex<State>

  private struct State {
    var statistics = ClientStatistics()
    var budget: RetryBudget
    /// Models that answered, and the one that did last: to look it up costs less.
    var served: Set<String> = []
    var lastServed: String?
  }

  /// A client; it connects with its first call.
  ///
  /// - Throws: `Target.Invalid`.
  public init(_ target: String, configuration: Configuration = .init()) throws {
    pool = try ServerPool(target, configuration)
    (self.target, self.configuration) = (target, configuration)
    state = Mutex(State(budget: RetryBudget(configuration.retry)))
  }

  /// Runs `body` in its caller's isolation with a client, and closes it, whatever happens.
  public static func with<Result>(
    _ target: String, configuration: Configuration = .init(),
    isolation: isolated (any Actor)? = #isolation,
    _ body: (TritonClient) async throws -> Result
  ) async throws -> Result {
    let client = try TritonClient(target, configuration: configuration)
    do {
      let result = try await body(client)
      await client.close()
      return result
    } catch {
      await client.close()
      throw error
    }
  }

  /// Refuses new calls, cancels those in flight and returns when the last has ended.
  public func close() async {
    for server in pool.servers {
      await server.infer.close()
      await server.control.close()
    }
  }

  /// What it has done so far.
  public var statistics: ClientStatistics { state.withLock { $0.statistics } }

  /// Runs tasks on the thread that reads the answers to inferences.
  ///
  /// Such a task goes on the moment its answer is read, with no other thread to wake. It pays for
  /// many small requests, from tasks that do little between them: while one computes, no answer is
  /// read.
  ///
  /// ```swift
  /// try await withTaskExecutorPreference(client.executor) { try await client.infer(request) }
  /// ```
  public var executor: any TaskExecutor { pool.servers[0].infer.executor }

  /// Addresses that the target names: 1 for a name that is resolved.
  public var serverCount: Int { pool.servers.count }

  /// Calls in flight now.
  public var callsInFlight: Int {
    pool.servers.reduce(0) { $0 + $1.infer.callsInFlight + $1.control.callsInFlight }
  }

  /// A small message there and back, both by protobuf-c.
  ///
  /// - Parameter model: whose absence holds the call up.
  func call(
    _ rpc: RPC, _ request: [String: ProtobufValue] = [:], _ options: CallOptions,
    model: String? = nil
  ) async throws -> ProtobufMessage {
    let message = ProtobufMessage(request)
    guard !message.containsNUL else {
      throw TritonError(
        code: .invalidRequest, message: "a text of the request contains a NUL byte", rpc: rpc.name)
    }
    let packed = OutgoingMessage(message.packed(as: rpc.request))
    let answer = try await send(
      rpc, packed, options, model: model, isIdempotent: rpc.isIdempotent)
    return try reading(rpc) {
      try ProtobufMessage(unpacking: answer.message.bytes, as: rpc.response)
    }
  }

  /// Counts a call that ended well and earns its retries.
  func succeeded(_ model: String?, isRetry: Bool, sent: Int, _ received: Int) {
    state.withLock { state in
      state.budget.earn()
      state.statistics.succeeded += 1
      if isRetry { state.statistics.retries += 1 }
      state.statistics.bytesSent += sent
      state.statistics.bytesReceived += received
      if let model, state.lastServed != model {
        state.lastServed = model
        state.served.insert(model)
      }
    }
  }

  func count(_ body: (inout ClientStatistics) -> Void) {
    state.withLock { body(&$0.statistics) }
  }

  /// Whether this client has had an answer before: from the model, or any without one.
  func wasServed(_ model: String?) -> Bool {
    state.withLock { state in
      model.map(state.served.contains) ?? (state.statistics.succeeded > 0)
    }
  }

  /// Pays for a retry.
  func spendRetry() -> Bool {
    let isPaid = state.withLock { state in
      let isPaid = state.budget.spend()
      if !isPaid { state.statistics.retriesRefused += 1 }
      return isPaid
    }
    if !isPaid { configuration.logger.debug("the budget of retries is used up") }
    return isPaid
  }

  /// What the provider of headers gives for the next attempt; nil without one.
  func providedHeaders(_ call: OngoingCall) async throws -> Metadata? {
    try await configuration.headerProvider?.headers(call.hasRefreshedHeaders ? .refused : .call)
  }

  /// How the next attempt of a call is made.
  func rpcOptions(_ call: OngoingCall, _ provided: Metadata?) -> RPCOptions {
    var options = RPCOptions()
    options.metadata = configuration.metadata
    if let provided { options.metadata.append(provided) }
    if !call.options.metadata.entries.isEmpty { options.metadata.append(call.options.metadata) }
    options.compression = call.options.compression ?? configuration.compression
    options.timeout = call.timeout
    if call.sends > 0 || call.lost > .zero {
      options.timeout = max(.milliseconds(1), call.deadline(losing: call.lost) - .now)
    }
    if let limit = configuration.retry.attemptTimeout, serverCount > 1 {
      options.timeout = min(options.timeout, limit)
    }
    return options
  }

  /// A failed call of a server, classified.
  func translated(_ failure: RPCError, _ rpc: RPC, at server: Int) -> TritonError {
    var error = TritonError(failure, rpc, target: pool.servers[server].name)
    if failure.message.contains("empty address list"), configuration.channel.tls != nil {
      error.code = .authorization
      error.remedy =
        "the TLS files cannot be used: check that the client's certificate and key belong "
        + "together, and that all of them are whole PEM files"
    }
    return error
  }

  /// Turns a malformed answer into an error that says whose fault it is.
  func reading<Result>(_ rpc: RPC, _ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch let fault as ProtobufFault {
      var error = TritonError(
        code: .serverBug, message: "\(target): \(fault.description)",
        remedy: "is this a Triton server?", rpc: rpc.name, status: .ok)
      error.target = target
      throw error
    }
  }
}

extension ProtobufMessage {
  /// C strings end at a NUL, so such a text would be cut silently.
  var containsNUL: Bool { fields.values.contains(where: \.containsNUL) }
}

extension ProtobufValue {
  fileprivate var containsNUL: Bool {
    switch self {
    case .string(let text): text.utf8.contains(0)
    case .message(let message): message.containsNUL
    case .list(let values): values.contains(where: \.containsNUL)
    default: false
    }
  }
}
