internal import Limiting
internal import Logging
internal import Synchronization
internal import Triton

/// Sends an engine's requests: as many at once as the server answers well, within a bound on the
/// bytes of their answers.
///
/// It has the patience for inferences, and the client none beside it: a request that is refused for
/// overload or lost with its server gives its place to others, waits and is sent again.
final class Dispatcher: Sendable {
  private let client: TritonClient
  private let configuration: TritonEngine.Configuration
  private let options: CallOptions
  private let losses: Set<TritonError.Code>
  private let limiter: ConcurrencyLimiter
  private let state: Mutex<State>

  private struct State {
    var rule: ConcurrencyRule
    var counts = Counts()
    var outage = OutageReport()
  }

  /// What was sent, and what it cost here.
  struct Counts {
    var requests = 0
    var overloads = 0
    var outages = 0
    var encoding = Duration.zero
    var decoding = Duration.zero
  }

  /// - Parameter instances: of all servers together, as they tell.
  init(_ client: TritonClient, _ configuration: TritonEngine.Configuration, instances: Int) {
    (self.client, self.configuration) = (client, configuration)
    losses = Self.losses(client)
    var options = configuration.call
    options.notRetried.formUnion(losses.union([.overload]))
    self.options = options
    let rule = ConcurrencyRule(
      instances: instances, bounds: Self.bounds(configuration.concurrency, instances))
    limiter = ConcurrencyLimiter(limit: rule.limit, costLimit: configuration.memory)
    state = Mutex(State(rule: rule))
  }

  /// Up to 16 requests for each instance, and 1,024 in all: what a server tells of its instances is
  /// no reason to make more tasks here.
  static func bounds(_ chosen: Int?, _ instances: Int) -> ClosedRange<Int> {
    if let chosen { return chosen...chosen }
    let most = SizeBounds.inFlight.upperBound
    let least = min(max(instances, 1), most)
    return least...min(saturatingProduct(16, least), most)
  }

  /// What may be answered by the next attempt: a server that is away or being restarted, and one of
  /// several that does not answer in time.
  private static func losses(_ client: TritonClient) -> Set<TritonError.Code> {
    let codes: Set<TritonError.Code> = [.connection, .notReady, .cancelled]
    return client.serverCount > 1 ? codes.union([.deadline]) : codes
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
  ///   - final: classes of errors that the caller answers itself, at once.
  ///   - make: builds the request once it is its turn; called for each attempt with the failure of
  ///     the last one.
  /// - Throws: `TritonError` when the server stays overloaded or away for longer than the patience.
  ///   What `make` and `read` throw.
  func send<Answer>(
    _ work: ConcurrencyRule.Work, bytes: Int, final: Set<TritonError.Code> = [],
    make: (TritonError?) async throws -> InferRequest, read: (InferResult) throws -> Answer
  ) async throws -> Answer {
    var refusals = Patience(configuration.overloadPatience)
    var outage = Patience(configuration.outagePatience)
    var failure: TritonError?
    while true {
      do {
        return try await limiter.withPermit(cost: bytes) {
          try await sendOnce(work, { try await make(failure) }, read)
        }
      } catch let error as TritonError where !final.contains(error.code) {
        failure = error
        if error.code == .overload {
          guard let pause = refusals.next() else { throw error }
          try await Task.sleep(for: pause)
        } else {
          guard losses.contains(error.code), let pause = outage.next() else { throw error }
          lost(error)
          try await Task.sleep(for: pause)
          client.reconnect()
        }
      }
    }
  }

  private func lost(_ error: TritonError) {
    state.withLock { state in
      state.counts.outages += 1
      state.outage.lost(
        error, client.target, configuration.outagePatience, configuration.logger)
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
        state.outage.answered(client.target, configuration.logger)
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
