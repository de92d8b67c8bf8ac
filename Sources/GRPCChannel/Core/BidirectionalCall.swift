internal import CGRPC
internal import DequeModule
internal import Synchronization

/// A stream in both directions: any task may send, one task receives.
public final class BidirectionalCall: Sendable {
  let handle: CallHandle
  private let flags: UInt32
  // Batches of one call may not be started from two threads at once: all go out under this lock.
  private let state = Mutex(State())

  init(_ handle: CallHandle, _ options: RPCOptions) {
    self.handle = handle
    flags = options.initialMetadataFlags
  }

  /// Starts the headers and the wait for the status; both tags come back for every outcome.
  func start() {
    state.withLock { _ in
      let headers = StreamTag(self) { call, _ in call.gotHeaders() }
      launch(headers, "open a stream") { CGRPCStartStream(handle.state, flags, $0) }
      let status = StreamTag(self) { call, _ in call.ended() }
      launch(status, "wait for a status") { CGRPCStartStatus(handle.state, $0) }
    }
  }

  /// Sends a message; returns when the core has taken it, so a slow server slows the sender.
  ///
  /// - Throws: `RPCError` when the stream has ended.
  public func send(_ message: OutgoingMessage) async throws {
    let sent = await withUnsafeContinuation { continuation in
      let entry = Pending(buffer: SendBuffer(message), continuation: continuation)
      let refused: Bool = state.withLock { state in
        guard state.acceptsMessages else { return true }
        state.pending.append(entry)
        if !state.isSending { launchNext(&state) }
        return false
      }
      if refused { continuation.resume(returning: false) }
    }
    guard sent else { throw await failure(of: "send") }
  }

  /// Tells the server that nothing more will be sent; waits for messages on their way.
  public func finishSending() async throws {
    let sent = await withUnsafeContinuation { continuation in
      let entry = Pending(buffer: nil, continuation: continuation)
      let refused: Bool = state.withLock { state in
        guard state.acceptsMessages else { return true }
        state.acceptsMessages = false
        state.pending.append(entry)
        if !state.isSending { launchNext(&state) }
        return false
      }
      if refused { continuation.resume(returning: false) }
    }
    guard sent else { throw await failure(of: "finish") }
  }

  /// The next message; nil after the last one of a stream that ended well. One task at a time.
  ///
  /// - Throws: `RPCError` when the stream failed, `CancellationError` when the task is cancelled.
  public func receive() async throws -> ReceivedMessage? {
    let arrived: ReceivedMessage? = await withUnsafeContinuation { continuation in
      let isClosed: Bool = state.withLock { state in
        guard !state.isClosed else { return true }
        precondition(!state.isReceiving, "receive() is called by two tasks at once")
        state.isReceiving = true
        let tag = StreamTag(self) { call, _ in call.received(continuation) }
        launch(tag, "receive") { CGRPCStartReceive(handle.state, $0) }
        return false
      }
      if isClosed { continuation.resume(returning: nil) }
    }
    if let arrived { return arrived }
    if let failure = await status() {
      if failure.code == .cancelled { try Task.checkCancellation() }
      throw failure
    }
    return nil
  }

  /// The server's headers, waited for; empty when the stream ended without any.
  public func initialMetadata() async -> Metadata {
    await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
      let isThere: Bool = state.withLock { state in
        if !state.hasHeaders { state.headerWaiters.append(continuation) }
        return state.hasHeaders
      }
      if isThere { continuation.resume() }
    }
    return Metadata(copying: handle.state.pointee.initial)
  }

  /// The server's trailers, waited for: they come with the end of the stream.
  public func trailingMetadata() async -> Metadata {
    _ = await status()
    return Metadata(copying: handle.state.pointee.trailing)
  }

  /// Ends the stream at once, on both sides.
  public func cancel() { handle.cancel() }

  /// Cancels what is unfinished, refuses all that comes later and waits for the end.
  func close() async {
    state.withLock { state in
      state.isClosed = true
      state.acceptsMessages = false
    }
    handle.cancel()
    _ = await status()
  }

  /// How the stream ended, waited for; nil for OK.
  func status() async -> RPCError? {
    await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
      let isOver: Bool = state.withLock { state in
        if !state.isOver { state.waiters.append(continuation) }
        return state.isOver
      }
      if isOver { continuation.resume() }
    }
    return handle.failure()
  }

  private func failure(of what: String) async -> any Error {
    if Task.isCancelled { return CancellationError() }
    return await status()
      ?? RPCError(
        code: .failedPrecondition, message: "cannot \(what): the stream has been finished",
        method: handle.method.path, isLocal: true)
  }

  private func received(_ continuation: UnsafeContinuation<ReceivedMessage?, Never>) {
    let message = state.withLock { state in
      state.isReceiving = false
      return handle.takeMessage()
    }
    continuation.resume(returning: message)
  }

  /// The headers are there, or the stream ended without: their batch is back either way.
  private func gotHeaders() {
    let waiters = state.withLock { state in
      state.hasHeaders = true
      defer { state.headerWaiters = [] }
      return state.headerWaiters
    }
    for waiter in waiters { waiter.resume() }
  }

  private func ended() {
    let (waiters, unsent) = state.withLock { state in
      state.isOver = true
      state.acceptsMessages = false
      defer { (state.waiters, state.pending) = ([], []) }
      return (state.waiters, state.pending)
    }
    for entry in unsent { entry.continuation.resume(returning: false) }
    for waiter in waiters { waiter.resume() }
  }

  /// Starts the oldest pending message; the others follow as each one's tag comes back.
  private func launchNext(_ state: inout State) {
    guard !state.pending.isEmpty else {
      state.isSending = false
      return
    }
    state.isSending = true
    let entry = state.pending.removeFirst()
    let tag = StreamTag(self) { call, success in
      call.state.withLock { call.launchNext(&$0) }
      entry.continuation.resume(returning: success)
      _ = entry.buffer  // lives until the core has given it back
    }
    launch(tag, "send") { pointer in
      guard let buffer = entry.buffer else { return CGRPCStartClose(handle.state, pointer) }
      return CGRPCStartSend(handle.state, buffer.buffer, pointer)
    }
  }

  private func launch(
    _ tag: StreamTag, _ what: String, _ start: (UnsafeMutableRawPointer) -> grpc_call_error
  ) {
    let error = start(tag.sendOut())
    guard error == GRPC_CALL_OK else {
      tag.takeBack()
      refused(error, what)
    }
  }

  private struct State {
    var pending: Deque<Pending> = []
    var isSending = false
    var isReceiving = false
    var acceptsMessages = true
    var isOver = false
    var isClosed = false
    var waiters: [UnsafeContinuation<Void, Never>] = []
    var hasHeaders = false
    var headerWaiters: [UnsafeContinuation<Void, Never>] = []
  }

  private struct Pending: Sendable {
    /// Nil half-closes the stream.
    let buffer: SendBuffer?
    let continuation: UnsafeContinuation<Bool, Never>
  }
}

/// One batch of a stream; holds the call, so that its memory outlives the batch.
private final class StreamTag: BatchTag {
  private let call: BidirectionalCall
  private let done: (BidirectionalCall, Bool) -> Void

  init(_ call: BidirectionalCall, _ done: @escaping (BidirectionalCall, Bool) -> Void) {
    (self.call, self.done) = (call, done)
  }

  override func complete(success: Bool) { done(call, success) }
}

/// A byte buffer for one send, destroyed with the last reference to it.
private final class SendBuffer: Sendable {
  nonisolated(unsafe) let buffer: UnsafeMutablePointer<grpc_byte_buffer>
  init(_ message: OutgoingMessage) { buffer = message.makeBuffer() }
  deinit { grpc_byte_buffer_destroy(buffer) }
}
