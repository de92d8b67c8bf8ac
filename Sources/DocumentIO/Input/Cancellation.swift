internal import Synchronization

/// A wish to stop, which whoever waits for bytes looks at ten times a second.
final class Cancellation: Sendable {
  private let flag = Atomic(false)

  func cancel() { flag.store(true, ordering: .relaxed) }

  /// Throws where this or the current task was cancelled.
  func check() throws(CancellationError) {
    if flag.load(ordering: .relaxed) || Task.isCancelled { throw CancellationError() }
  }
}
