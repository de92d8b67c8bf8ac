internal import CGRPC
internal import Synchronization

/// A connection to one target that carries any number of calls at once.
///
/// Calls are cancelled with their task. `close` cancels what is in flight and waits for it.
public final class Channel: Sendable {
  /// Where it connects to.
  public let target: Target
  private let handle: ChannelHandle
  private let queue: CompletionQueue
  private let calls = Mutex(CallRegistry())

  /// A channel; it connects with its first call.
  public init(_ target: Target, configuration: ChannelConfiguration = .init()) {
    self.target = target
    handle = ChannelHandle(target, configuration)
    queue = CompletionQueue()
  }

  /// Sends one request and waits for its answer.
  ///
  /// - Throws: `RPCError` for any status but OK; `CancellationError` when the task is cancelled.
  public func unary(
    _ method: RPCMethod, _ request: OutgoingMessage, options: CallOptions = .init()
  ) async throws -> UnaryAnswer {
    try Task.checkCancellation()
    try check(options, method)
    let call = UnaryCall(CallHandle(handle.channel, queue, method, options), request, options)
    try register(call.handle)
    await call.run()
    deregister(call.handle)
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
  public func bidirectional<Result>(
    _ method: RPCMethod, options: CallOptions = .init(),
    _ body: (BidirectionalCall) async throws -> Result
  ) async throws -> Result {
    try Task.checkCancellation()
    try check(options, method)
    let call = BidirectionalCall(CallHandle(handle.channel, queue, method, options), options)
    try register(call.handle)
    defer { deregister(call.handle) }
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

  /// Calls in flight now.
  public var callsInFlight: Int { calls.withLock { $0.handles.count } }

  /// Refuses new calls, cancels those in flight and returns when the last has ended.
  public func close() async {
    let running = calls.withLock { $0.close() }
    for call in running { call.cancel() }
    await withCheckedContinuation { continuation in
      if calls.withLock({ $0.wait(continuation) }) { continuation.resume() }
    }
  }

  private func check(_ options: CallOptions, _ method: RPCMethod) throws {
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

  private func register(_ call: CallHandle) throws {
    guard calls.withLock({ $0.add(call) }) else { throw RPCError.closed(call.method.path) }
  }

  private func deregister(_ call: CallHandle) {
    for waiter in calls.withLock({ $0.remove(call) }) { waiter.resume() }
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
  var handles: [ObjectIdentifier: CallHandle] = [:]
  private var isClosed = false
  private var waiters: [CheckedContinuation<Void, Never>] = []

  mutating func add(_ call: CallHandle) -> Bool {
    guard !isClosed else { return false }
    handles[ObjectIdentifier(call)] = call
    return true
  }

  mutating func remove(_ call: CallHandle) -> [CheckedContinuation<Void, Never>] {
    handles[ObjectIdentifier(call)] = nil
    guard handles.isEmpty else { return [] }
    defer { waiters = [] }
    return waiters
  }

  mutating func close() -> [CallHandle] {
    isClosed = true
    return Array(handles.values)
  }

  /// True when there is nothing to wait for.
  mutating func wait(_ continuation: CheckedContinuation<Void, Never>) -> Bool {
    if handles.isEmpty { return true }
    waiters.append(continuation)
    return false
  }
}
