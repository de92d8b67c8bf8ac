internal import BLAS
internal import CKernels
internal import RelationBundle

/// A GlobalPointer or EfficientGlobalPointer head, evaluated only at the tokens asked for.
///
/// A token gets *features* for the role it plays, row (first token, or subject) or column (last
/// token, or object). Any logit is then a dot product of a row's and a column's features, plus,
/// in the efficient kind, a bias of each. Features of one token:
/// - global: [heads, d], the query or the key of each head;
/// - efficient: the shared query or key [d], then a bias for each head.
/// Queries carry the factor 1/sqrt(d) already.
struct PointerHead: Sendable {
  enum Role { case row, column }

  let heads: Int
  let size: Int
  let isEfficient: Bool
  private let rotary: RotaryTable?
  private let projections: [Linear]

  init(
    _ reader: WeightReader, _ name: String, _ head: ModelConfiguration.Head, heads: Int,
    hidden: Int, positions: Int
  ) throws {
    (self.heads, size) = (heads, head.size)
    rotary = head.rope ? RotaryTable(positions: positions, size: head.size) : nil
    isEfficient = head.kind == .efficientGlobalPointer
    let d = head.size
    if isEfficient {
      // p_dense interleaves queries and keys; keeping the order, one product gives both.
      projections = [
        try reader.linear("\(name).p_dense", rows: 2 * d, columns: hidden),
        try reader.linear("\(name).q_dense", rows: 2 * heads, columns: 2 * d),
      ]
    } else {
      let rows = heads * 2 * d
      let queries = (0..<rows).filter { $0 % (2 * d) < d }
      let keys = (0..<rows).filter { $0 % (2 * d) >= d }
      projections = try reader.linears(
        "\(name).dense", rows: rows, columns: hidden, selections: [queries, keys])
    }
  }

  /// Floats of one token's features.
  var featureCount: Int { isEfficient ? size + heads : heads * size }

  /// Floats of scratch that `project` needs.
  var scratchCount: Int { projections.map { Linear.scratchCount(depth: $0.columns) }.max() ?? 0 }

  /// Features [count, featureCount] of `hidden` [count, hidden_size] in one role.
  ///
  /// `positions` are the tokens' places in their sentences, for RoPE.
  func project(
    _ hidden: UnsafePointer<Float>, positions: [Int], role: Role, _ workspace: Workspace,
    into features: UnsafeMutablePointer<Float>
  ) throws {
    let count = positions.count
    let scratch = try workspace.scratch.reserve(scratchCount)
    if isEfficient {
      try projectEfficient(hidden, count, role, workspace, scratch, into: features)
    } else {
      let projection = projections[role == .row ? 0 : 1]
      projection.apply(hidden, count: count, into: features, scratch: scratch)
    }
    let queries = isEfficient ? 1 : heads
    for (index, position) in positions.enumerated() {
      for head in 0..<queries {
        let vector = features + index * featureCount + head * size
        rotary?.rotate(vector, position)
        if role == .row { scale(vector) }
      }
    }
  }

  private func projectEfficient(
    _ hidden: UnsafePointer<Float>, _ count: Int, _ role: Role, _ workspace: Workspace,
    _ scratch: UnsafeMutablePointer<Float>, into features: UnsafeMutablePointer<Float>
  ) throws {
    let shared = try workspace.pointer.reserve(count * (2 * size + 2 * heads))
    let biases = shared + count * 2 * size
    projections[0].apply(hidden, count: count, into: shared, scratch: scratch)
    projections[1].apply(shared, count: count, into: biases, scratch: scratch)
    let odd = role == .row ? 0 : 1
    for index in 0..<count {
      let out = features + index * featureCount
      for i in 0..<size { out[i] = shared[index * 2 * size + 2 * i + odd] }
      // The bias of 2h belongs to the column, that of 2h + 1 to the row; both are halved.
      for h in 0..<heads { out[size + h] = biases[index * 2 * heads + 2 * h + 1 - odd] / 2 }
    }
  }

  private func scale(_ vector: UnsafeMutablePointer<Float>) {
    let factor = 1 / Float(size).squareRoot()
    for i in 0..<size { vector[i] *= factor }
  }

  /// Logits of one head at rows x columns, row-major: `grid` [rows, columns].
  func grid(
    head: Int, _ row: UnsafePointer<Float>, rows: Int, _ column: UnsafePointer<Float>,
    columns: Int, into grid: inout [Float]
  ) {
    assert((0..<heads).contains(head), "no such head")
    grid.removeAll(keepingCapacity: true)
    for r in 0..<rows {
      for c in 0..<columns {
        grid.append(logit(head, row + r * featureCount, column + c * featureCount))
      }
    }
  }

  private func logit(
    _ head: Int, _ row: UnsafePointer<Float>, _ column: UnsafePointer<Float>
  ) -> Float {
    if isEfficient { return spo_dot(row, column, size) + row[size + head] + column[size + head] }
    return spo_dot(row + head * size, column + head * size, size)
  }

  /// Logits of one head over all rows x columns by one product: `out` [n, n].
  func matrix(
    head: Int, _ row: UnsafePointer<Float>, _ column: UnsafePointer<Float>, n: Int,
    precision: Precision, _ workspace: Workspace, into out: UnsafeMutablePointer<Float>
  ) throws {
    assert((0..<heads).contains(head), "no such head")
    let at = isEfficient ? 0 : head * size
    let scratch = try workspace.scratch.reserve(multiplyScratchCount(n: n, k: size))
    multiply(
      m: n, n: n, k: size, row + at, strideA: featureCount, column + at, strideB: featureCount,
      transposed: false, into: out, strideC: n, precision: precision, scratch: scratch)
    guard isEfficient else { return }
    for r in 0..<n {
      for c in 0..<n {
        out[r * n + c] +=
          row[r * featureCount + size + head] + column[c * featureCount + size + head]
      }
    }
  }
}
