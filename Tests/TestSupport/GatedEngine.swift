package import GlobalPointer
package import Inference
internal import Synchronization

/// What a test's engine was asked.
package enum EngineCall: Sendable, Hashable {
  case infer(InferenceBatch, threshold: Float)
  case scores([TripleQuery], ids: [Int32])
}

/// An engine whose calls wait until the test lets them go, and which remembers them.
///
/// ```swift
/// let engine = GatedEngine(base)
/// let task = Task { try await extractor.extract("甲乙") }
/// await engine.arrivals(1)      // the call is inside and waits
/// engine.open()                 // it goes on, and so does what comes later
/// ```
/// A call that waits ends with `InferenceError.cancelled` as soon as its task is cancelled.
package final class GatedEngine<Base: InferenceEngine>: InferenceEngine {
  /// The engine that answers.
  package let base: Base
  private let gate = Mutex(Gate())

  /// An engine that holds every call until `release` or `open`.
  package init(_ base: Base) { self.base = base }

  package var shape: ModelShape { base.shape }
  package var limits: EngineLimits { base.limits }
  package var identity: EngineIdentity { base.identity }
  package var statistics: EngineStatistics { base.statistics }

  package func close() async {
    gate.withLock { $0.closings += 1 }
    await base.close()
  }

  /// All calls so far, in the order in which they came.
  package var calls: [EngineCall] { gate.withLock { $0.calls } }
  /// Calls that wait now, by their place in `calls`.
  package var waiting: [Int] { gate.withLock { $0.held.keys.sorted() } }
  /// Calls that were cancelled while they waited, by their place in `calls`.
  package var cancelled: [Int] { gate.withLock { $0.cancelled } }
  /// The most calls that were inside at once, waiting or being answered.
  package var mostAtOnce: Int { gate.withLock { $0.mostAtOnce } }
  /// How often `close` was called.
  package var closings: Int { gate.withLock { $0.closings } }

  /// Returns once `count` calls have come, counted from the first one ever.
  package func arrivals(_ count: Int) async {
    await withCheckedContinuation { watcher in
      if gate.withLock({ $0.watch(count, watcher) }) { watcher.resume() }
    }
  }

  /// Lets one call go, by its place in `calls`, also before it comes; it throws `error` if given.
  package func release(_ call: Int, throwing error: InferenceError? = nil) {
    gate.withLock { $0.release(call, .init(error)) }?.resume(returning: error)
  }

  /// Lets every call go that waits or comes later.
  package func open() {
    for call in gate.withLock({ $0.open() }) { call.resume(returning: nil) }
  }

  /// Holds again what comes from now on.
  package func shut() { gate.withLock { $0.isOpen = false } }

  package func run(_ batch: InferenceBatch, threshold: Float) async throws(InferenceError)
    -> [SentenceCandidates]
  {
    defer { gate.withLock { $0.inside -= 1 } }
    try await pass(.infer(batch, threshold: threshold))
    return try await base.run(batch, threshold: threshold)
  }

  package func runScores(of queries: [TripleQuery], in ids: [Int32]) async throws(InferenceError)
    -> [ScoreParts]
  {
    defer { gate.withLock { $0.inside -= 1 } }
    try await pass(.scores(queries, ids: ids))
    return try await base.runScores(of: queries, in: ids)
  }

  private func pass(_ call: EngineCall) async throws(InferenceError) {
    let number = gate.withLock { $0.arrive(call) }
    let error = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let (verdict, watchers) = gate.withLock { $0.hold(number, continuation) }
        if let verdict { continuation.resume(returning: verdict.error) }
        for watcher in watchers { watcher.resume() }
      }
    } onCancel: {
      gate.withLock { $0.cancel(number) }?.resume(returning: InferenceError.cancelled)
    }
    if let error { throw error }
  }
}

/// What a waiting call is told: to go on, or to throw.
private struct Verdict {
  let error: InferenceError?
  init(_ error: InferenceError?) { self.error = error }
}

/// Which calls have come, wait and may go on.
private struct Gate {
  typealias Held = CheckedContinuation<InferenceError?, Never>
  typealias Watcher = CheckedContinuation<Void, Never>

  var isOpen = false
  var calls: [EngineCall] = []
  var held: [Int: Held] = [:]
  var cancelled: [Int] = []
  var inside = 0
  var mostAtOnce = 0
  var closings = 0
  /// Calls that have come as far as the gate, and those that are on their way to it.
  private var arrived = 0
  private var coming: Set<Int> = []
  /// Verdicts on calls that do not wait yet.
  private var verdicts: [Int: Verdict] = [:]
  private var watchers: [(count: Int, watcher: Watcher)] = []

  mutating func arrive(_ call: EngineCall) -> Int {
    calls.append(call)
    coming.insert(calls.count - 1)
    inside += 1
    mostAtOnce = max(mostAtOnce, inside)
    return calls.count - 1
  }

  /// The verdict where there is one already, and those who waited for this arrival.
  mutating func hold(_ number: Int, _ call: Held) -> (Verdict?, [Watcher]) {
    coming.remove(number)
    arrived += 1
    let ready = watchers.filter { $0.count <= arrived }.map(\.watcher)
    watchers.removeAll { $0.count <= arrived }
    if let verdict = verdicts.removeValue(forKey: number) { return (verdict, ready) }
    if isOpen { return (Verdict(nil), ready) }
    held[number] = call
    return (nil, ready)
  }

  mutating func release(_ number: Int, _ verdict: Verdict) -> Held? {
    if let call = held.removeValue(forKey: number) { return call }
    verdicts[number] = verdict
    return nil
  }

  mutating func open() -> [Held] {
    isOpen = true
    defer { held = [:] }
    return held.sorted { $0.key < $1.key }.map(\.value)
  }

  mutating func cancel(_ number: Int) -> Held? {
    guard coming.contains(number) || held[number] != nil else { return nil }
    cancelled.append(number)
    return release(number, Verdict(.cancelled))
  }

  /// Whether the calls have come already.
  mutating func watch(_ count: Int, _ watcher: Watcher) -> Bool {
    if arrived >= count { return true }
    watchers.append((count, watcher))
    return false
  }
}
