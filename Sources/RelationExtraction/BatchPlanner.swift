public import Inference

/// Which sentences go into one batch: a pure value, sentence lengths in, batches out.
///
/// Sentences are taken from the longest to the shortest, so that a batch holds like lengths, the
/// batches of one bucket follow each other (Triton's batcher joins only neighbours of equal shape)
/// and the last batches to finish are the small ones.
public struct BatchPlanner: Sendable {
  /// The most rows of a batch.
  public var rows: Int
  /// The most tokens of a batch, all rows together, padding included.
  public var tokens: Int
  /// The most cells of a batch: rows times the square of the padded length.
  public var cells: Int
  /// What rows are padded to; nil for an engine that does not pad.
  public var buckets: LengthBuckets?
  /// The longest sentence that the model takes.
  public var maximumTokens: Int

  /// Sentences that are read together.
  public struct Batch: Sendable, Hashable {
    /// Indices into the lengths.
    public var sentences: [Int]
    /// The length that each is padded to, where the engine pads.
    public var length: Int
  }

  /// A planner within an engine's limits.
  public init(_ limits: EngineLimits, buckets: LengthBuckets? = nil, maximumTokens: Int = .max) {
    (rows, tokens) = (max(1, limits.batchRows), max(1, limits.batchTokens))
    (cells, self.buckets) = (max(1, limits.batchCells), buckets)
    self.maximumTokens = maximumTokens
  }

  /// Batches of indices into `lengths`; every index is in exactly one. A sentence beyond a limit
  /// has a batch of its own.
  public func plan(lengths: [Int]) -> [Batch] {
    let order = lengths.indices.sorted { (lengths[$1], $0) < (lengths[$0], $1) }
    var batches: [Batch] = []
    var used = 0
    for index in order {
      let length = padded(lengths[index])
      let last = batches.indices.last
      if let last, fits(length, batches[last], used) {
        batches[last].sentences.append(index)
        used += length
      } else {
        batches.append(Batch(sentences: [index], length: length))
        used = length
      }
    }
    return batches
  }

  private func padded(_ length: Int) -> Int {
    buckets?.padded(length, maximum: maximumTokens) ?? length
  }

  private func fits(_ length: Int, _ batch: Batch, _ used: Int) -> Bool {
    let count = batch.sentences.count + 1
    let (area, overflows) = (batch.length * batch.length).multipliedReportingOverflow(by: count)
    return count <= rows && used + length <= tokens && !overflows && area <= cells
      && (buckets == nil || length == batch.length)
  }
}
