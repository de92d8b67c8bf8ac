internal import CGRPC
internal import Synchronization

/// Runs tasks on the thread that takes answers from the core.
///
/// A task there goes on the moment its answer is read, without a thread to wake: with many small
/// requests that is half their cost. In return nothing is read while such a task computes, so it
/// is for tasks that do little between their calls.
final class QueueExecutor: TaskExecutor {
  private let state = Mutex(State())
  // Batches of one call may not be started from two threads at once: they go out under the lock.
  private nonisolated(unsafe) let waker: UnsafeMutablePointer<CGRPCCall>

  private struct State {
    var jobs: [UnownedJob] = []
    /// Whether the thread may be blocked in the queue and nobody has woken it yet.
    var needsWake = false
  }

  init(_ queue: OpaquePointer) {
    // A call that never leaves: an empty batch of it is the core's way to post to a queue.
    let channel = grpc_lame_client_channel_create("", GRPC_STATUS_UNAVAILABLE, nil)!
    defer { grpc_channel_destroy(channel) }
    waker = CGRPCCallCreate(channel, queue, grpc_empty_slice(), 0)
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    state.withLock { state in
      state.jobs.append(job)
      guard state.needsWake else { return }
      state.needsWake = false
      let error = CGRPCPost(waker, nil)
      guard error == GRPC_CALL_OK else { refused(error, "wake its queue") }
    }
  }

  /// Runs what there is; afterwards the thread may block.
  func runJobs() {
    var jobs: [UnownedJob] = []
    while take(&jobs) {
      for job in jobs { job.runSynchronously(on: asUnownedTaskExecutor()) }
      jobs.removeAll(keepingCapacity: true)
    }
  }

  /// Swaps the jobs there are with an empty list; when there are none the thread is owed a wake.
  private func take(_ jobs: inout [UnownedJob]) -> Bool {
    state.withLock { state in
      swap(&state.jobs, &jobs)
      state.needsWake = jobs.isEmpty
      return !jobs.isEmpty
    }
  }

  /// The thread is back from the queue.
  func isAwake() { state.withLock { $0.needsWake = false } }
}
