public import Inference

/// Which sentences go into one batch: a pure value, sentence lengths in, batches out.
///
/// Sentences are taken from the longest to the shortest, so that a batch holds like lengths and
/// the last batches to finish are the small ones.
public struct BatchPlanner: Sendable {
  /// The most rows of a batch.
  public var rows: Int
  /// The most tokens of a batch, all rows together.
  public var tokens: Int

  /// A planner within an engine's limits.
  public init(_ limits: EngineLimits) {
    (rows, tokens) = (max(1, limits.batchRows), max(1, limits.batchTokens))
  }

  /// Batches of indices into `lengths`; every index is in exactly one. A sentence longer than
  /// `tokens` has a batch of its own.
  public func plan(lengths: [Int]) -> [[Int]] {
    let order = lengths.indices.sorted { (lengths[$1], $0) < (lengths[$0], $1) }
    var batches: [[Int]] = []
    var room = 0
    for index in order {
      if batches.isEmpty || lengths[index] > room || batches[batches.count - 1].count == rows {
        batches.append([])
        room = tokens
      }
      batches[batches.count - 1].append(index)
      room -= lengths[index]
    }
    return batches
  }
}
