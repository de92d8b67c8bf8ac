internal import Inference
internal import Synchronization
internal import Limiting
internal import Triton

/// Sends an engine's requests: as many at once as the server answers well, within a bound on the
/// bytes of their answers. A request that the server refuses for overload waits and is sent again.
final class Dispatcher: Sendable {
  private let client: TritonClient
  private let options: CallOptions
  private let patience: Duration
  private let limiter: ConcurrencyLimiter
  private let state: Mutex<State>

  private struct State {
    var rule: ConcurrencyRule
    var counts = Counts()
  }

  /// What was sent, and what it cost here.
  struct Counts {
    var requests = 0
    var overloads = 0
    var encoding = Duration.zero
    var decoding = Duration.zero
  }

  init(_ client: TritonClient, _ configuration: TritonEngine.Configuration, instances: Int) {
    self.client = client
    (patience, options) = (configuration.overloadPatience, configuration.callOptions)
    let bounds = configuration.concurrency.map { $0...$0 } ?? instances...16 * instances
    let rule = ConcurrencyRule(instances: instances, bounds: bounds)
    limiter = ConcurrencyLimiter(limit: rule.limit, costLimit: configuration.memory)
    state = Mutex(State(rule: rule))
  }

  /// The most requests that can ever be in flight.
  var ceiling: Int { state.withLock { $0.rule.bounds.upperBound } }
  /// Requests that may be in flight now.
  var limit: Int { limiter.limit }
  /// What was sent so far.
  var counts: Counts { state.withLock { $0.counts } }

  /// One answer.
  ///
  /// - Parameters:
  ///   - bytes: of the answer, held until `read` returns.
  ///   - make: builds the request once it is its turn.
  /// - Throws: `TritonError`; of class `overload` when the server stays overloaded for longer than
  ///   the patience. What `make` and `read` throw.
  func send<Answer>(
    _ work: ConcurrencyRule.Work, bytes: Int, make: () async throws -> InferRequest,
    read: (InferResult) throws -> Answer
  ) async throws -> Answer {
    var firstRefusal: ContinuousClock.Instant?
    var pause = Duration.milliseconds(20)
    while true {
      do {
        return try await limiter.withPermit(cost: bytes) { try await sendOnce(work, make, read) }
      } catch let error as TritonError where error.code == .overload {
        let first = firstRefusal ?? .now
        firstRefusal = first
        guard .now - first < patience else { throw error }
      }
      try await Task.sleep(for: pause * Double.random(in: 0.5...1))
      pause = min(pause * 2, .seconds(2))
    }
  }

  private func sendOnce<Answer>(
    _ work: ConcurrencyRule.Work, _ make: () async throws -> InferRequest,
    _ read: (InferResult) throws -> Answer
  ) async throws -> Answer {
    let begin = ContinuousClock.now
    let request = try await make()
    let encoding = ContinuousClock.now - begin
    let result = try await measure(work) { try await client.infer(request, options: options) }
    let end = ContinuousClock.now
    let answer = try read(result)
    state.withLock { state in
      state.counts.encoding += encoding
      state.counts.decoding += .now - end
    }
    return answer
  }

  private func measure(
    _ work: ConcurrencyRule.Work, _ call: () async throws -> InferResult
  ) async throws -> InferResult {
    let (begin, inFlight) = (ContinuousClock.now, limiter.active)
    do {
      let result = try await call()
      let latency = ContinuousClock.now - begin
      change { state in
        state.counts.requests += 1
        state.rule.answered(work, after: latency, inFlight: inFlight)
      }
      return result
    } catch let error as TritonError where error.code == .overload {
      change { state in
        state.counts.overloads += 1
        state.rule.overloaded(sent: begin)
      }
      throw error
    }
  }

  private func change(_ body: (inout State) -> Void) {
    let limit = state.withLock { state in
      body(&state)
      return state.rule.limit
    }
    if limit != limiter.limit { limiter.limit = limit }
  }
}
