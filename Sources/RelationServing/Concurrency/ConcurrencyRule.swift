/// How many requests to keep in flight.
///
/// The rule is TCP Vegas' (Brakmo and Peterson, 1995): the share of a request's latency above the
/// shortest one seen for so much work is time it waited, so `inFlight * (1 - shortest / latency)`
/// requests are queued at the server. One or two for each instance keep it busy; fewer raise the
/// limit, more lower it, by one a round trip. An overload halves it, at most once a round trip, as
/// additive increase and multiplicative decrease do (Chiu and Jain, 1989).
struct ConcurrencyRule {
  /// What a request asks of the server.
  struct Work: Hashable {
    var model: String
    /// Rows times their padded length.
    var tokens: Int

    /// Requests of one model within a factor of two: time for a token is alike among them.
    fileprivate var size: Work {
      Work(model: model, tokens: Int.bitWidth - tokens.leadingZeroBitCount)
    }
  }

  /// The limit never leaves these bounds.
  let bounds: ClosedRange<Int>
  private let instances: Double
  private var exact: Double
  /// The shortest time for a token, by size of request.
  private var shortest: [Work: Duration] = [:]
  private var lastDecrease: ContinuousClock.Instant?

  /// Begins at two for each instance: one runs, one waits.
  init(instances: Int, bounds: ClosedRange<Int>) {
    self.instances = Double(instances)
    self.bounds = bounds
    exact = Double(min(max(2 * instances, bounds.lowerBound), bounds.upperBound))
  }

  /// Requests that may be in flight now.
  var limit: Int { Int(exact) }

  /// Takes note of an answer; `inFlight` counts the requests beside which it was sent, itself too.
  mutating func answered(_ work: Work, after latency: Duration, inFlight: Int) {
    let perToken = latency / max(work.tokens, 1)
    let least = min(shortest[work.size] ?? perToken, perToken)
    shortest[work.size] = least
    let queued = Double(inFlight) * (1 - least / perToken)
    if queued < instances, inFlight >= limit {
      exact += 1 / exact
    } else if queued > 2 * instances {
      exact -= 1 / exact
    }
    keepWithinBounds()
  }

  /// Takes note of a refused request; those sent before the last decrease tell nothing new.
  mutating func overloaded(sent: ContinuousClock.Instant) {
    if let lastDecrease, sent < lastDecrease { return }
    lastDecrease = .now
    exact /= 2
    keepWithinBounds()
  }

  private mutating func keepWithinBounds() {
    exact = min(max(exact, Double(bounds.lowerBound)), Double(bounds.upperBound))
  }
}
