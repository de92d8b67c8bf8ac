/// The few lengths that rows are padded to, so that most batches of a run have one of few shapes:
/// servers join requests of equal shape only, and runtimes plan anew for each new one.
public struct LengthBuckets: Sendable, Hashable {
  /// The lengths, ascending.
  public let edges: [Int]

  /// So many edges leave little padding of what people write, and few shapes to a server.
  public static let usualCount = 12

  /// The lengths above the longest that was seen go up in steps of this.
  private static let step = 16

  /// The `count` edges at which the observed lengths are padded least, in cells (length squared).
  ///
  /// - Parameter histogram: how many sentences have each length, by length.
  public init(_ histogram: [Int], count: Int) {
    let lengths = histogram.indices.filter { histogram[$0] > 0 }
    edges = Self.best(lengths, lengths.map { histogram[$0] }, count: min(count, lengths.count))
  }

  /// The same for sentences of the given lengths.
  public init(lengths: [Int], count: Int = usualCount) {
    var histogram = Array(repeating: 0, count: (lengths.max() ?? 0) + 1)
    for length in lengths { histogram[length] += 1 }
    self.init(histogram, count: count)
  }

  /// What a sentence of `length` is padded to, at most `maximum`.
  public func padded(_ length: Int, maximum: Int) -> Int {
    if let edge = edges.first(where: { $0 >= length }) { return edge }
    return max(length, min((length + Self.step - 1) / Self.step * Self.step, maximum))
  }

  /// Dynamic programming over how many edges cover how many of the lengths.
  private static func best(_ lengths: [Int], _ counts: [Int], count: Int) -> [Int] {
    let sums = counts.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
    // cells[i]: the fewest padded cells of the first i lengths; from[e][i]: where edge e's begin.
    var cells = [0] + Array(repeating: Int.max / 2, count: lengths.count)
    var from: [[Int]] = []
    for _ in 0..<count {
      var (next, starts) = (cells, Array(0...lengths.count))
      for end in lengths.indices {
        for start in 0...end {
          let area = lengths[end] * lengths[end] * (sums[end + 1] - sums[start])
          if cells[start] + area < next[end + 1] {
            (next[end + 1], starts[end + 1]) = (cells[start] + area, start)
          }
        }
      }
      cells = next
      from.append(starts)
    }
    var edges: [Int] = []
    var end = lengths.count
    for starts in from.reversed() where end > 0 && starts[end] < end {
      edges.insert(lengths[end - 1], at: 0)
      end = starts[end]
    }
    return edges
  }
}
