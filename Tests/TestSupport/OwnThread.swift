internal import Dispatch
package import Testing

/// Tests that block, such as those that wait for a program, run on one thread of their own, one
/// after the other: the tests' pool may have two threads, and whoever holds both holds up every
/// other test. Nor does a program that one of them starts inherit the pipes of another's.
package struct OwnThreadTrait: SuiteTrait, TestTrait, TestScoping {
  /// Each test of a suite has the scope, and not the suite as a whole.
  package var isRecursive: Bool { true }

  /// Runs a test on the thread.
  package func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    try await withTaskExecutorPreference(OwnThread.shared) { try await function() }
  }
}

extension Trait where Self == OwnThreadTrait {
  /// See `OwnThreadTrait`.
  package static var ownThread: Self { Self() }
}

private final class OwnThread: TaskExecutor {
  static let shared = OwnThread()
  private let queue = DispatchQueue(label: "tests that block")

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
