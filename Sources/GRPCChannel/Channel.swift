internal import CGRPC
internal import Synchronization

/// A connection to one target that carries any number of calls at once.
///
/// Calls are cancelled with their task. `close` cancels what is in flight and waits for it.
public final class Channel: Sendable {
  /// Where it connects to.
  public let target: Target
  private let handle: ChannelHandle
  private let queue = CompletionQueue.shared
  private let calls = Mutex(CallRegistry())

  /// A channel; it connects with its first call.
  public init(_ target: Target, configuration: ChannelConfiguration = .init()) {
    self.target = target
    handle = ChannelHandle(target, configuration)
  }

  /// Sends one request and waits for its answer.
  ///
  /// - Throws: `RPCError` for any status but OK; `CancellationError` when the task is cancelled.
  public func unary(
    _ method: RPCMethod, _ request: OutgoingMessage, options: RPCOptions = .init()
  ) async throws -> UnaryAnswer {
    try Task.checkCancellation()
    try check(options, method)
    let call = UnaryCall(CallHandle(handle.channel, queue, method, options), request, options)
    let slot = try register(call.handle)
    await call.run()
    deregister(slot)
    if let failure = call.handle.failure() {
      if failure.code == .cancelled { try Task.checkCancellation() }
      throw failure
    }
    guard let message = call.handle.takeMessage() else {
      throw RPCError(
        code: .internalError, message: "the server ended the call with OK and no answer",
        method: method.path)
    }
    return UnaryAnswer(message: message, trailers: call.handle)
  }

  /// Opens a stream in both directions for as long as `body` runs.
  ///
  /// A stream that `body` leaves unfinished is cancelled. `body` hears of a failure as an
  /// `RPCError` from `receive` or `send`.
  /// `body` runs in its caller's isolation: an actor may use its own state there.
  public func bidirectional<Result>(
    _ method: RPCMethod, options: RPCOptions = .init(),
    isolation: isolated (any Actor)? = #isolation,
    _ body: (BidirectionalCall) async throws -> Result
  ) async throws -> Result {
    try Task.checkCancellation()
    try check(options, method)
    let call = BidirectionalCall(CallHandle(handle.channel, queue, method, options), options)
    let slot = try register(call.handle)
    defer { deregister(slot) }
    call.start()
    let result: Swift.Result<Result, any Error>
    do {
      result = .success(
        try await withTaskCancellationHandler {
          try await body(call)
        } onCancel: {
          call.cancel()
        })
    } catch {
      result = .failure(error)
    }
    await call.close()
    try Task.checkCancellation()
    return try result.get()
  }

  /// Whether a connection stands, is being made, or has failed; `connect` starts one.
  public func connectivity(connect: Bool = false) -> Connectivity {
    let state = grpc_channel_check_connectivity_state(handle.channel, connect ? 1 : 0)
    return Connectivity(rawValue: Int32(bitPattern: state.rawValue)) ?? .shutdown
  }

  /// Forgets the pauses between attempts to connect: the next call tries at once.
  public func resetConnectBackoff() { grpc_channel_reset_connect_backoff(handle.channel) }

  /// Runs tasks on the thread that reads this channel's answers; see `TritonClient.executor`.
  public var executor: any TaskExecutor { queue.executor }

  /// Calls in flight now.
  public var callsInFlight: Int { calls.withLock { $0.count } }

  /// Refuses new calls, cancels those in flight and returns when the last has ended.
  public func close() async {
    let running = calls.withLock { $0.close() }
    for call in running { call.close() }
    await withCheckedContinuation { continuation in
      if calls.withLock({ $0.wait(continuation) }) { continuation.resume() }
    }
  }

  private func check(_ options: RPCOptions, _ method: RPCMethod) throws {
    guard options.timeout >= .milliseconds(1) else {
      throw RPCError(
        code: .invalidArgument,
        message: "the timeout is \(options.timeout), expected at least 1 ms",
        method: method.path, isLocal: true)
    }
    if let fault = options.metadata.fault {
      throw RPCError(code: .invalidArgument, message: fault, method: method.path, isLocal: true)
    }
  }

  private func register(_ call: CallHandle) throws -> Int {
    guard let slot = calls.withLock({ $0.add(call) }) else {
      throw RPCError.closed(call.method.path)
    }
    return slot
  }

  private func deregister(_ slot: Int) {
    for waiter in calls.withLock({ $0.remove(slot) }) { waiter.resume() }
  }
}

/// What a unary call brought.
public struct UnaryAnswer: Sendable {
  /// The message.
  public let message: ReceivedMessage
  let trailers: CallHandle

  /// The server's headers, read on demand.
  public var initialMetadata: Metadata { Metadata(copying: trailers.state.pointee.initial) }
  /// The server's trailers, read on demand.
  public var trailingMetadata: Metadata { Metadata(copying: trailers.state.pointee.trailing) }
  /// The address that answered, as gRPC spells it.
  public var peer: String { trailers.peer }
}

/// State of a channel's connection.
public enum Connectivity: Int32, Sendable {
  case idle, connecting, ready, transientFailure, shutdown
}

/// The calls in flight and who waits for them to end; the lock is held around this alone.
private struct CallRegistry {
  // By slot: two look-ups in a dictionary would cost more than the rest of the book-keeping.
  private var slots: [CallHandle?] = []
  private var free: [Int] = []
  private var isClosed = false
  private var waiters: [CheckedContinuation<Void, Never>] = []

  var count: Int { slots.count - free.count }

  /// The slot of the call; nil when the channel is closed.
  mutating func add(_ call: CallHandle) -> Int? {
    guard !isClosed else { return nil }
    guard let slot = free.popLast() else {
      slots.append(call)
      return slots.count - 1
    }
    slots[slot] = call
    return slot
  }

  /// Frees the slot; who is to be told that no call is left.
  mutating func remove(_ slot: Int) -> [CheckedContinuation<Void, Never>] {
    slots[slot] = nil
    free.append(slot)
    guard count == 0 else { return [] }
    defer { waiters = [] }
    return waiters
  }

  mutating func close() -> [CallHandle] {
    isClosed = true
    return slots.compactMap { $0 }
  }

  /// True when there is nothing to wait for.
  mutating func wait(_ continuation: CheckedContinuation<Void, Never>) -> Bool {
    if count == 0 { return true }
    waiters.append(continuation)
    return false
  }
}
