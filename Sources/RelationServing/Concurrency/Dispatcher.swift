internal import Limiting
internal import Logging
internal import Synchronization
internal import Triton

/// Sends an engine's requests: as many at once as the server answers well, within a bound on the
/// bytes of their answers.
///
/// A request that is refused for overload, or whose servers are all away, gives its place to others,
/// waits and is sent again; the client has no patience with these beside it. What else may pass by
/// itself, and whether another server of a list takes over, is the client's.
final class Dispatcher: Sendable {
  private let client: TritonClient
  private let configuration: TritonEngine.Configuration
  private let options: CallOptions
  private let outagePatience: Duration
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
    let retry = client.configuration.retry
    outagePatience = configuration.outagePatience ?? (retry.attempts > 1 ? retry.patience : .zero)
    var options = configuration.call
    options.notRetried.formUnion(Self.losses.union([.overload]))
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

  /// What may be answered by a later attempt: no server is there, or it is being started.
  private static let losses: Set<TritonError.Code> = [.connection, .notReady]

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
  ///   - isSentOnce: a request that may be written for after it has failed: the client does not
  ///     send it again, `make` makes another.
  ///   - make: builds the request once it is its turn; called for each attempt with the failure of
  ///     the last one.
  /// - Throws: `TritonError` when the server stays overloaded or away for longer than the patience.
  ///   What `make` and `read` throw.
  func send<Answer>(
    _ work: ConcurrencyRule.Work, bytes: Int, final: Set<TritonError.Code> = [],
    isSentOnce: Bool = false, make: (TritonError?) async throws -> InferRequest,
    read: (InferResult) throws -> Answer
  ) async throws -> Answer {
    var refusals = Patience(configuration.overloadPatience)
    var outage = Patience(outagePatience)
    var failure: TritonError?
    while true {
      do {
        return try await limiter.withPermit(cost: bytes) {
          try await sendOnce(work, isSentOnce, { try await make(failure) }, read)
        }
      } catch let error as TritonError where !final.contains(error.code) {
        failure = error
        if error.code == .overload {
          guard let pause = refusals.next() else { throw error }
          try await Task.sleep(for: pause)
        } else {
          guard Self.losses.contains(error.code), let pause = outage.next() else { throw error }
          let connects = lost(error)
          try await Task.sleep(for: pause)
          if connects { client.reconnect() }
        }
      }
    }
  }

  /// Takes note of a lost request; true for the one of many that shall connect anew.
  private func lost(_ error: TritonError) -> Bool {
    state.withLock { state in
      state.counts.outages += 1
      return state.outage.lost(error, client.target, outagePatience, configuration.logger)
    }
  }

  private func sendOnce<Answer>(
    _ work: ConcurrencyRule.Work, _ isSentOnce: Bool, _ make: () async throws -> InferRequest,
    _ read: (InferResult) throws -> Answer
  ) async throws -> Answer {
    let begin = ContinuousClock.now
    let request = try await make()
    let encoding = ContinuousClock.now - begin
    var options = options
    if isSentOnce { options.attempts = 1 }
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
