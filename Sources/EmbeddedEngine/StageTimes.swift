/// Where an engine's time has gone, in seconds summed over its workers.
public struct StageTimes: Sendable, Hashable {
  /// Embeddings and transformer layers.
  public var encoder = 0.0
  /// The entity head and the scan for spans.
  public var entity = 0.0
  /// The pair heads at candidate tokens, and the decode.
  public var pairs = 0.0

  static func += (a: inout StageTimes, b: StageTimes) {
    a.encoder += b.encoder
    a.entity += b.entity
    a.pairs += b.pairs
  }
}

/// Adds the time since the last call to a stage.
struct StageClock {
  private(set) var times = StageTimes()
  private var last = ContinuousClock.now

  mutating func finish(_ stage: WritableKeyPath<StageTimes, Double>) {
    let now = ContinuousClock.now
    let elapsed = (now - last).components
    times[keyPath: stage] += Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
    last = now
  }
}
