internal import Inference
internal import Synchronization

/// What reading has cost beside the engine.
public struct ReadingStatistics: Sendable, Hashable {
  /// Cells of the sentences: the squares of their lengths, as the logits have them.
  public var realCells = 0
  /// Cells of the sentences as they were padded.
  public var paddedCells = 0
  /// Time spent on tokenizing.
  public var tokenizing = Duration.zero
  /// Time spent on planning batches.
  public var planning = Duration.zero

  /// Padded cells over real ones; 1 is none.
  public var waste: Double { realCells == 0 ? 1 : Double(paddedCells) / Double(realCells) }
}

/// An extractor's planning from one call to the next: lengths seen so far, the buckets
/// made of them, what padding cost.
final class BatchPlanning: Sendable {
  /// The buckets follow the lengths until so many were seen; then they stay, and so do the shapes.
  static let sample = 4_096

  private let engine: any InferenceEngine
  private let maximumTokens: Int
  private let state: Mutex<State>

  private struct State {
    var histogram: [Int]
    var seen = 0
    var fittedAt = 0
    var buckets: LengthBuckets?
    var statistics = ReadingStatistics()
  }

  init(_ engine: any InferenceEngine) {
    (self.engine, maximumTokens) = (engine, engine.shape.maximumTokens)
    state = Mutex(State(histogram: Array(repeating: 0, count: maximumTokens + 1)))
  }

  var statistics: ReadingStatistics { state.withLock { $0.statistics } }

  func tokenized(in time: Duration) { state.withLock { $0.statistics.tokenizing += time } }

  /// The length that each sentence is padded to; its own where the engine does not pad.
  func padded(lengths: [Int]) -> [Int] {
    guard engine.limits.padsRows else { return lengths }
    let begin = ContinuousClock.now
    let buckets = buckets(with: lengths)
    let padded = lengths.map { buckets?.padded($0, maximum: maximumTokens) ?? $0 }
    state.withLock { state in
      for (real, cells) in zip(lengths, padded) {
        state.statistics.realCells += real * real
        state.statistics.paddedCells += cells * cells
      }
      state.statistics.planning += .now - begin
    }
    return padded
  }

  /// The batches of a few sentences that are read by themselves.
  func plan(lengths: [Int]) -> [BatchPlanner.Batch] {
    let begin = ContinuousClock.now
    let limits = engine.limits
    let buckets = limits.padsRows ? buckets(with: lengths) : nil
    let planner = BatchPlanner(limits, buckets: buckets, maximumTokens: maximumTokens)
    let batches = planner.plan(lengths: lengths)
    let real = lengths.reduce(0) { $0 + $1 * $1 }
    let padded = batches.reduce(0) { $0 + $1.sentences.count * $1.length * $1.length }
    state.withLock { state in
      state.statistics.realCells += real
      state.statistics.paddedCells += limits.padsRows ? padded : real
      state.statistics.planning += .now - begin
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
        state.buckets = LengthBuckets(state.histogram, count: LengthBuckets.usualCount)
        state.fittedAt = state.seen
      }
      return state.buckets
    }
  }
}
