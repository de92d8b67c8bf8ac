/// Whether the difference of two systems on the same sentences could be chance.
///
/// Paired bootstrap (Koehn, 2004): sentences are drawn with replacement, both systems are scored on
/// each draw.
public struct Bootstrap: Sendable {
  /// F1 of the first less F1 of the second, on all sentences.
  public let difference: Double
  /// The middle 95 % of the differences over the draws.
  public let interval: ClosedRange<Double>
  /// The share of draws in which the order of the two is not that of all sentences.
  public let reversed: Double
  /// The number of draws.
  public let draws: Int

  /// Compares two systems' counts, sentence by sentence in the same order.
  ///
  /// - Throws: `CancellationError` when the task is cancelled.
  public init(
    _ first: [Counts], _ second: [Counts], draws: Int = 1_000, seed: UInt64 = 1
  ) throws {
    precondition(first.count == second.count && !first.isEmpty && draws > 0, "paired sentences")
    var random = SplitMix(state: seed)
    func difference(_ next: (Int) -> Int) throws -> Double {
      var (a, b) = (Counts(), Counts())
      for index in first.indices {
        if index & 0xFFFF == 0 { try Task.checkCancellation() }
        let chosen = next(index)
        a += first[chosen]
        b += second[chosen]
      }
      return a.f1 - b.f1
    }
    self.difference = try difference { $0 }
    let differences = try (0..<draws).map { _ in
      try difference { _ in Int.random(in: 0..<first.count, using: &random) }
    }.sorted()
    let (low, high) = (draws * 25 / 1_000, min(draws - 1, draws * 975 / 1_000))
    interval = differences[low]...differences[high]
    let isAhead = self.difference > 0
    reversed = Double(differences.count { isAhead ? $0 <= 0 : $0 >= 0 }) / Double(draws)
    self.draws = draws
  }
}

/// A small seeded generator, so that a report repeats (Steele, Lea and Flood, 2014).
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
