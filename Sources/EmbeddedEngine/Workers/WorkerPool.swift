internal import Dispatch
internal import Foundation
internal import Inference
internal import Synchronization

/// Threads that take calls from one queue, first come, first served, each with scratch memory of
/// its own. They are no threads of the concurrency runtime, which long products would hold up.
///
/// A thread keeps the pool alive, so its owner shuts it.
final class WorkerPool: Sendable {
  /// A call that waits: exactly one of its closures is called, once.
  private struct Call: Sendable {
    let token: CallToken
    let run: @Sendable (Workspace) -> Void
    let refuse: @Sendable (InferenceError) -> Void
  }

  private struct State {
    var queue = WorkQueue<Call>()
    var running: [CallToken] = []
    var isClosed = false
    var threads = 0
    var closers: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())
  /// Counts the calls queued, those that left early included: a thread that finds none waits on.
  private let wake = DispatchSemaphore(value: 0)

  /// Starts the threads; throws when the system refuses one.
  init(threads: Int) throws(InferenceError) {
    for number in 1...threads {
      // Counted before it can end.
      state.withLock { $0.threads += 1 }
      let status = startThread()
      guard status == 0 else {
        state.withLock { $0.threads -= 1 }
        shut()
        throw InferenceError(
          code: .engineFailure,
          message: "cannot start worker thread \(number) of \(threads): "
            + "\(String(cString: strerror(status))); ask for fewer threads, or raise the limits "
            + "of processes and memory (ulimit -u, ulimit -v)")
      }
    }
  }

  /// Calls that wait for a thread.
  var waitingCount: Int { state.withLock { $0.queue.count } }
  /// Threads that have not ended.
  var threadCount: Int { state.withLock { $0.threads } }

  /// Runs `body` on the next free thread.
  ///
  /// - Throws: what `body` throws; of code `cancelled` or `closed`, at once while the call waits,
  ///   and as soon as `body` checks its token when it runs.
  func perform<Result: Sendable>(
    _ body: @escaping @Sendable (Workspace, CallToken) throws(InferenceError) -> Result
  ) async throws(InferenceError) -> Result {
    typealias Outcome = Swift.Result<Result, InferenceError>
    let token = CallToken()
    let outcome: Outcome = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        enqueue(
          Call(
            token: token,
            run: { workspace in
              do throws(InferenceError) {
                continuation.resume(returning: .success(try body(workspace, token)))
              } catch {
                continuation.resume(returning: .failure(error))
              }
            },
            refuse: { continuation.resume(returning: .failure($0)) }))
      }
    } onCancel: {
      token.cancel()
      state.withLock { $0.queue.remove(token.ticket.load(ordering: .relaxed)) }?.refuse(.cancelled)
    }
    return try outcome.get()
  }

  private func enqueue(_ call: Call) {
    let refusal = state.withLock { state -> InferenceError? in
      if state.isClosed { return .closed }
      // Cancelled before it waits, when nobody could find it in the queue.
      if let error = call.token.error { return error }
      call.token.ticket.store(state.queue.append(call), ordering: .relaxed)
      return nil
    }
    if let refusal { call.refuse(refusal) } else { wake.signal() }
  }

  /// Refuses what waits and what comes, and asks what runs to end; the threads end after it.
  func shut() {
    let (waiting, threads) = state.withLock { state -> ([Call], Int) in
      state.isClosed = true
      for token in state.running { token.close() }
      return (state.queue.removeAll(), state.threads)
    }
    for call in waiting { call.refuse(.closed) }
    for _ in 0..<threads { wake.signal() }
  }

  /// Shuts the pool and returns when its threads have ended.
  func close() async {
    shut()
    await withCheckedContinuation { continuation in
      let ended = state.withLock { state in
        if state.threads > 0 { state.closers.append(continuation) }
        return state.threads == 0
      }
      if ended { continuation.resume() }
    }
  }
}

// What the threads do.
extension WorkerPool {
  private static let stackBytes = 2 << 20

  /// The system's error number, 0 for none.
  private func startThread() -> Int32 {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    pthread_attr_setstacksize(&attributes, Self.stackBytes)
    var thread = pthread_t()
    let pool = Unmanaged.passRetained(self)
    let status = pthread_create(
      &thread, &attributes,
      { pool in
        Unmanaged<WorkerPool>.fromOpaque(pool!).takeRetainedValue().work()  // given below
        return nil
      }, pool.toOpaque())
    if status != 0 { pool.release() }
    return status
  }

  private func work() {
    let workspace = Workspace()
    while let call = next() {
      call.run(workspace)
      state.withLock { $0.running.removeAll { $0 === call.token } }
    }
    let closers = state.withLock { state in
      state.threads -= 1
      defer { if state.threads == 0 { state.closers = [] } }
      return state.threads == 0 ? state.closers : []
    }
    for closer in closers { closer.resume() }
  }

  /// Waits for a call; nil when the pool is shut.
  private func next() -> Call? {
    while true {
      wake.wait()
      let (call, isClosed) = state.withLock { state in
        let call = state.queue.popFirst()
        if let call { state.running.append(call.token) }
        return (call, state.isClosed)
      }
      if call != nil || isClosed { return call }
    }
  }
}
