internal import CGRPC
internal import Foundation

/// gRPC's core, started once and never shut down: `grpc_shutdown` may not be waited for while
/// other code in the process uses gRPC. After it, start programs with posix_spawn, never fork.
enum Core {
  private static let started: Void = grpc_init()
  static func start() { _ = started }
}

/// What a batch carries through the core: sent out retained once, taken back once.
class BatchTag {
  /// Called on the queue's thread when the batch has completed; may only resume a continuation.
  func complete(success: Bool) { fatalError("a BatchTag says what completes it") }

  /// The retained pointer that goes out with a batch.
  final func sendOut() -> UnsafeMutableRawPointer { Unmanaged.passRetained(self).toOpaque() }

  /// Takes the retained pointer back when the core refused the batch.
  final func takeBack() { Unmanaged.passUnretained(self).release() }
}

/// The process's one completion queue, with one thread blocked in `next`.
///
/// The thread takes tags back and resumes continuations; no caller's code runs on it but that of
/// tasks which ask for `executor`. All channels share it: the core has one epoll set for all its
/// queues, so the thread of an idle queue would read a busy one's sockets and have to wake its
/// thread for each answer. Like the core it is never shut down.
final class CompletionQueue: Sendable {
  static let shared = CompletionQueue()

  // The core's queue is thread-safe.
  nonisolated(unsafe) let queue: OpaquePointer
  let executor: QueueExecutor

  private init() {
    Core.start()
    queue = grpc_completion_queue_create_for_next(nil)!
    executor = QueueExecutor(queue)
    let thread = Thread { self.run() }
    thread.name = "spo.grpc"
    thread.start()
  }

  private func run() -> Never {
    while true {
      executor.runJobs()
      let event = grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), nil)
      executor.isAwake()
      // A tag of nil is a wake of the executor's; no other event comes from an endless wait.
      guard event.type == GRPC_OP_COMPLETE, let tag = event.tag else { continue }
      let batch = Unmanaged<BatchTag>.fromOpaque(tag).takeRetainedValue()
      batch.complete(success: event.success != 0)
    }
  }
}
