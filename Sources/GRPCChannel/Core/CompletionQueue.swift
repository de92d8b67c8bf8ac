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

/// One completion queue with one thread blocked in `next`.
///
/// The thread only takes tags back and resumes continuations; no caller's code runs on it. It
/// ends, and destroys the queue, once the queue is shut down and its last tag is back.
final class CompletionQueue: Sendable {
  // The core's queue is thread-safe.
  nonisolated(unsafe) let queue: OpaquePointer

  init() {
    Core.start()
    let queue = grpc_completion_queue_create_for_next(nil)!
    self.queue = queue
    nonisolated(unsafe) let lent = queue
    let thread = Thread { Self.run(lent) }
    thread.name = "spo.grpc"
    thread.start()
  }

  deinit { grpc_completion_queue_shutdown(queue) }

  private static func run(_ queue: OpaquePointer) {
    while true {
      let event = grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), nil)
      switch event.type {
      case GRPC_OP_COMPLETE:
        let tag = Unmanaged<BatchTag>.fromOpaque(event.tag).takeRetainedValue()
        tag.complete(success: event.success != 0)
      case GRPC_QUEUE_SHUTDOWN:
        grpc_completion_queue_destroy(queue)
        return
      default:
        continue  // GRPC_QUEUE_TIMEOUT: the deadline is infinite, so only a spurious wake
      }
    }
  }
}
