public import GRPCChannel
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
    /// TLS, proxy, load balancing, windows.
    public var channel = ChannelConfiguration()
    /// From the start of a call to the last byte of its answer, retries and pauses included.
    public var timeout: Duration = .seconds(60)
    /// Headers of every call.
    public var metadata: Metadata = [:]
    /// How requests are compressed.
    public var compression = Compression.none
    /// When a failed call is made again.
    public var retry = RetryPolicy()

    /// The defaults.
    public init() {}
  }

  /// What one call changes.
  public struct CallChanges: Sendable {
    /// Another timeout.
    public var timeout: Duration?
    /// Headers beside the client's.
    public var metadata: Metadata = [:]
    /// Another compression.
    public var compression: Compression?
    /// Another number of attempts.
    public var attempts: Int?
    /// Classes of errors that the caller answers itself: they are not tried again here.
    public var finalCodes: Set<TritonError.Code> = []

    /// No change.
    public init(timeout: Duration? = nil, metadata: Metadata = [:], attempts: Int? = nil) {
      (self.timeout, self.metadata, self.attempts) = (timeout, metadata, attempts)
    }
  }

  /// The target as it was given.
  public let target: String
  /// How it connects and calls.
  public let configuration: Configuration
  let inferChannel: Channel
  let controlChannel: Channel
  private let state: Mutex<State>

  private struct State {
    var statistics = ClientStatistics()
    var budget: RetryBudget
  }

  /// A client; it connects with its first call.
  ///
  /// - Throws: `Target.Invalid`.
  public init(_ target: String, configuration: Configuration = .init()) throws {
    let place = try Target(target)
    self.target = target
    self.configuration = configuration
    inferChannel = Channel(place, configuration: configuration.channel)
    controlChannel = Channel(place, configuration: configuration.channel)
    state = Mutex(State(budget: RetryBudget(configuration.retry)))
  }

  /// Runs `body` with a client and closes it, whatever happens.
  public static func with<Result>(
    _ target: String, configuration: Configuration = .init(),
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
    await inferChannel.close()
    await controlChannel.close()
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
  public var executor: any TaskExecutor { inferChannel.executor }

  /// Addresses that the target names: 1 for a name that is resolved.
  public var serverCount: Int { max(1, inferChannel.target.hosts.count) }

  /// Calls in flight now.
  public var callsInFlight: Int { inferChannel.callsInFlight + controlChannel.callsInFlight }

  /// A small message there and back, both by protobuf-c.
  func call(
    _ rpc: RPC, _ request: [String: ProtobufValue] = [:], _ changes: CallChanges = .init()
  ) async throws -> ProtobufMessage {
    let message = ProtobufMessage(request)
    guard !message.containsNUL else {
      throw TritonError(
        code: .invalidRequest, message: "a text of the request contains a NUL byte", rpc: rpc.name)
    }
    let packed = OutgoingMessage(message.packed(as: rpc.request))
    let answer = try await send(rpc, packed, changes, isIdempotent: rpc.isIdempotent)
    return try reading(rpc) {
      try ProtobufMessage(unpacking: answer.message.bytes, as: rpc.response)
    }
  }

  /// Sends until it succeeds, the error is final, or attempts, time or budget are used up.
  func send(
    _ rpc: RPC, _ message: OutgoingMessage, _ changes: CallChanges, isIdempotent: Bool
  ) async throws -> UnaryAnswer {
    let deadline = ContinuousClock.now + (changes.timeout ?? configuration.timeout)
    var attempt = 1
    while true {
      do {
        return try await sendOnce(rpc, message, changes, until: deadline)
      } catch let error as TritonError {
        guard let pause = pause(after: error, attempt, changes, isIdempotent, until: deadline)
        else {
          state.withLock { $0.statistics.failed[error.code, default: 0] += 1 }
          throw error
        }
        try await Task.sleep(for: pause)
        attempt += 1
        if error.code == .connection { channel(of: rpc).resetConnectBackoff() }
      } catch {
        state.withLock { $0.statistics.cancelled += 1 }
        throw error
      }
    }
  }

  private func sendOnce(
    _ rpc: RPC, _ message: OutgoingMessage, _ changes: CallChanges,
    until deadline: ContinuousClock.Instant
  ) async throws -> UnaryAnswer {
    let options = options(changes, until: deadline)
    do {
      let answer = try await channel(of: rpc).unary(rpc.method, message, options: options)
      state.withLock { state in
        state.budget.earn()
        state.statistics.succeeded += 1
        state.statistics.bytesSent += message.count
        state.statistics.bytesReceived += answer.message.count
      }
      return answer
    } catch let failure as RPCError {
      state.withLock { $0.statistics.bytesSent += message.count }
      throw TritonError(failure, rpc, target: target)
    }
  }

  private func channel(of rpc: RPC) -> Channel {
    rpc.name == RPC.modelInfer.name ? inferChannel : controlChannel
  }

  func options(_ changes: CallChanges, until deadline: ContinuousClock.Instant) -> CallOptions {
    var options = CallOptions()
    options.timeout = max(.milliseconds(1), deadline - .now)
    options.metadata = configuration.metadata
    options.metadata.append(changes.metadata)
    options.compression = changes.compression ?? configuration.compression
    return options
  }

  /// How long to wait before the next attempt; nil when there is none.
  private func pause(
    after error: TritonError, _ attempt: Int, _ changes: CallChanges, _ isIdempotent: Bool,
    until deadline: ContinuousClock.Instant
  ) -> Duration? {
    let policy = configuration.retry
    guard attempt < changes.attempts ?? policy.attempts, !changes.finalCodes.contains(error.code),
      policy.allows(error, isIdempotent: isIdempotent)
    else { return nil }
    let pause = policy.ceiling(beforeAttempt: attempt + 1) * Double.random(in: 0...1)
    guard ContinuousClock.now + pause < deadline else { return nil }
    let isPaid = state.withLock { state in
      let isPaid = state.budget.spend()
      if isPaid { state.statistics.retries += 1 } else { state.statistics.retriesRefused += 1 }
      return isPaid
    }
    return isPaid ? pause : nil
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
