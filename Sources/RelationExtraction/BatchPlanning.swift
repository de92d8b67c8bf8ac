internal import Inference
internal import Synchronization

/// What padding cost, in cells: the squares of sentence lengths, as the logits have them.
public struct PaddingStatistics: Sendable, Hashable {
  /// Cells of the sentences.
  public var realCells = 0
  /// Cells of the sentences as they were padded.
  public var paddedCells = 0

  /// Padded cells over real ones; 1 is none.
  public var waste: Double { realCells == 0 ? 1 : Double(paddedCells) / Double(realCells) }
}

/// An extractor's planning from one look-ahead window to the next: lengths seen so far, the buckets
/// made of them, what padding cost.
final class BatchPlanning: Sendable {
  static let bucketCount = 12
  /// The buckets follow the lengths until so many were seen; then they stay, and so do the shapes.
  static let sample = 4_096

  private let limits: EngineLimits
  private let maximumTokens: Int
  private let state: Mutex<State>

  private struct State {
    var histogram: [Int]
    var seen = 0
    var fittedAt = 0
    var buckets: LengthBuckets?
    var padding = PaddingStatistics()
  }

  init(_ engine: any InferenceEngine) {
    (limits, maximumTokens) = (engine.limits, engine.shape.maximumTokens)
    state = Mutex(State(histogram: Array(repeating: 0, count: maximumTokens + 1)))
  }

  var padding: PaddingStatistics { state.withLock { $0.padding } }

  /// The batches of one window.
  func plan(lengths: [Int]) -> [BatchPlanner.Batch] {
    let buckets = limits.padsRows ? buckets(with: lengths) : nil
    let planner = BatchPlanner(limits, buckets: buckets, maximumTokens: maximumTokens)
    let batches = planner.plan(lengths: lengths)
    state.withLock { state in
      for batch in batches {
        state.padding.realCells += batch.sentences.reduce(0) { $0 + lengths[$1] * lengths[$1] }
        state.padding.paddedCells +=
          limits.padsRows
          ? batch.sentences.count * batch.length * batch.length
          : batch.sentences.reduce(0) { $0 + lengths[$1] * lengths[$1] }
      }
    }
    return batches
  }

  /// Buckets fitted anew each time that the number of sentences seen has doubled.
  private func buckets(with lengths: [Int]) -> LengthBuckets? {
    state.withLock { state in
      guard state.fittedAt < Self.sample else { return state.buckets }
      for length in lengths { state.histogram[min(length, maximumTokens)] += 1 }
      state.seen += lengths.count
      if state.seen >= 2 * state.fittedAt {
        state.buckets = LengthBuckets(state.histogram, count: Self.bucketCount)
        state.fittedAt = state.seen
      }
      return state.buckets
    }
  }
}
