internal import BLAS

/// The features of a pair head at the candidate tokens of several sentences, in the buffers of a
/// workspace: it lives until they are reserved again.
struct PairGrids {
  private let head: PointerHead
  private let rowFeatures, columnFeatures: UnsafeMutablePointer<Float>
  private let rowBounds, columnBounds: [Int]

  init(
    _ head: PointerHead, _ hidden: UnsafePointer<Float>, _ sentences: PackedSentences,
    _ rowTokens: [(Int, [Int32])], _ columnTokens: [(Int, [Int32])], width: Int,
    _ workspace: Workspace, _ buffers: PairFeatures
  ) throws {
    self.head = head
    func features(
      _ tokens: [(Int, [Int32])], _ role: PointerHead.Role, _ buffer: FloatBuffer
    ) throws -> UnsafeMutablePointer<Float> {
      let count = tokens.reduce(0) { $0 + $1.1.count }
      let gathered = try workspace.gathered.reserve(count * width)
      var at = gathered
      for (sentence, places) in tokens {
        for place in places {
          let row = sentences.rows[sentence] + Int(place)
          assert(place >= 0 && row < sentences.rows[sentence + 1], "token outside its sentence")
          at.update(from: hidden + row * width, count: width)
          at += width
        }
      }
      let features = try buffer.reserve(count * head.featureCount)
      try head.project(
        gathered, positions: tokens.flatMap { $0.1.map(Int.init) }, role: role, workspace,
        into: features)
      return features
    }
    rowFeatures = try features(rowTokens, .row, buffers.rows)
    columnFeatures = try features(columnTokens, .column, buffers.columns)
    rowBounds = Self.bounds(rowTokens)
    columnBounds = Self.bounds(columnTokens)
  }

  private static func bounds(_ tokens: [(Int, [Int32])]) -> [Int] {
    tokens.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.1.count) }
  }

  /// One predicate's logits of the sentence at `place` of the group.
  func grid(_ place: Int, head index: Int, into grid: inout [Float]) {
    let (row, column) = (rowBounds[place], columnBounds[place])
    head.grid(
      head: index, rowFeatures + row * head.featureCount, rows: rowBounds[place + 1] - row,
      columnFeatures + column * head.featureCount, columns: columnBounds[place + 1] - column,
      into: &grid)
  }
}
