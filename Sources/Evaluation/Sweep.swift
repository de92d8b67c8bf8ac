extension Evaluation {
  /// One point of a sweep.
  public struct Point: Sendable, Hashable {
    /// Scores above it count.
    public var threshold: Double
    /// What they give.
    public var counts: Counts
  }

  /// The counts at thresholds spread over the scores that there are; empty without scores.
  ///
  /// A run at a low threshold holds the answers of every higher one, so no model runs again.
  ///
  /// - Throws: `CancellationError` when the task is cancelled.
  public func sweep(points: Int = 41) throws -> [Point] {
    let thresholds = thresholds(points)
    // What begins to count at each threshold, and what no longer does; at the end their sums.
    var changes = [Counts](repeating: Counts(), count: thresholds.count + 1)
    _ = try matches.cancellableMap { match in
      for (levels, counts) in match.steps(thresholds) {
        changes[levels.lowerBound] += counts
        changes[levels.upperBound] -= counts
      }
    }
    var running = Counts()
    return zip(thresholds, changes).map { threshold, change in
      running += change
      return Point(threshold: threshold, counts: running)
    }
  }

  private func thresholds(_ points: Int) -> [Double] {
    let scores = sentences.flatMap { $0.predicted.compactMap(\.score) }.sorted()
    guard let least = scores.first else { return [] }
    let chosen = (0..<points).map { scores[$0 * (scores.count - 1) / max(1, points - 1)] }
    var thresholds = Set(chosen.map { ($0 * 100).rounded() / 100 }.filter { $0 >= least })
    thresholds.insert(least.nextDown)
    if least < 0 { thresholds.insert(0) }
    return thresholds.sorted()
  }
}

extension Match {
  /// The counts over runs of ascending thresholds at which the same predictions count: a sentence
  /// with k scores is judged at most k + 1 times, however many thresholds there are.
  fileprivate func steps(_ thresholds: [Double]) -> [(levels: Range<Int>, counts: Counts)] {
    guard !thresholds.isEmpty else { return [] }
    let ends = Set(
      said.compactMap { prediction in
        prediction.score.map { score in thresholds.partitioningIndex { $0 >= score } }
      })
    let bounds = ends.union([0, thresholds.count]).sorted()
    return zip(bounds, bounds.dropFirst()).map { from, to in
      (from..<to, counts(above: thresholds[from]))
    }
  }
}

extension [Double] {
  /// The first index from which on the condition holds, of an array in which it holds to the end.
  fileprivate func partitioningIndex(_ holds: (Double) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if holds(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
