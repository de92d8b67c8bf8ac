/// How long one request is sent again, and how long it waits before each time: pauses grow and are
/// jittered, so that those who were refused together do not come back together.
struct Patience {
  private let limit: Duration
  private var pause: Duration
  private var begin: ContinuousClock.Instant?

  private static let longestPause = Duration.seconds(2)

  init(_ limit: Duration, firstPause: Duration = .milliseconds(20)) {
    (self.limit, pause) = (limit, firstPause)
  }

  /// The pause after one more failure; nil when there has been enough of them.
  mutating func next(_ now: ContinuousClock.Instant = .now) -> Duration? {
    let first = begin ?? now
    begin = first
    guard now - first < limit else { return nil }
    defer { pause = min(pause * 2, Self.longestPause) }
    return pause * Double.random(in: 0.5...1)
  }
}
