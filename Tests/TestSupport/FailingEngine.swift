package import GlobalPointer
package import Inference
internal import Synchronization

/// An engine whose n-th calls throw, and which is another engine otherwise.
///
/// With every n of a small run in turn, a test sees that no failure loses anything silently.
package struct FailingEngine<Base: InferenceEngine>: InferenceEngine {
  /// The engine that answers the other calls.
  package let base: Base
  private let calls: Calls

  /// An engine whose calls of the numbers `nth`, counted from 1 over `infer` and `scores`, throw
  /// `error` before the base sees them.
  package init(
    _ base: Base, nth: Set<Int>,
    error: InferenceError = InferenceError(code: .engineFailure, message: "a test lets it fail")
  ) {
    self.base = base
    calls = Calls(nth, error)
  }

  /// The same for one call.
  package init(
    _ base: Base, nth: Int,
    error: InferenceError = InferenceError(code: .engineFailure, message: "a test lets it fail")
  ) {
    self.init(base, nth: [nth], error: error)
  }

  /// Calls so far, those that threw included.
  package var callCount: Int { calls.count.withLock { $0 } }

  package var shape: ModelShape { base.shape }
  package var limits: EngineLimits { base.limits }
  package var identity: EngineIdentity { base.identity }
  package var statistics: EngineStatistics { base.statistics }
  package func close() async { await base.close() }

  package func run(_ batch: InferenceBatch, threshold: Float) async throws(InferenceError)
    -> [SentenceCandidates]
  {
    try calls.next()
    return try await base.run(batch, threshold: threshold)
  }

  package func runScores(of queries: [TripleQuery], in ids: [Int32]) async throws(InferenceError)
    -> [ScoreParts]
  {
    try calls.next()
    return try await base.runScores(of: queries, in: ids)
  }
}

/// The count that copies of one failing engine share.
private final class Calls: Sendable {
  let count = Mutex(0)
  private let failing: Set<Int>
  private let error: InferenceError

  init(_ failing: Set<Int>, _ error: InferenceError) {
    (self.failing, self.error) = (failing, error)
  }

  func next() throws(InferenceError) {
    let number = count.withLock { count in
      count += 1
      return count
    }
    if failing.contains(number) { throw error }
  }
}
