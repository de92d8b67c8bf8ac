internal import BLAS
internal import CKernels
internal import RelationBundle

/// Tensors of a bundle as the forward pass wants them, in memory of their own: what becomes of the
/// file later does not matter.
struct WeightReader {
  let tensors: SafeTensors
  let precision: Precision

  /// A Linear from `<name>.weight` [rows, columns] and `<name>.bias` [rows].
  func linear(_ name: String, rows: Int, columns: Int) throws -> Linear {
    try linears(name, rows: rows, columns: columns, selections: [nil])[0]
  }

  /// Linears of the rows that each selection picks and orders; nil takes all as they are.
  func linears(
    _ name: String, rows: Int, columns: Int, selections: [[Int]?]
  ) throws -> [Linear] {
    let weights = try floats("\(name).weight", [rows, columns])
    let bias = try floats("\(name).bias", [rows])
    return try selections.map { rows in
      guard let rows else { return try linear(weights, bias, columns: columns) }
      return try linear(
        selected(weights, rows, columns: columns), selected(bias, rows, columns: 1),
        columns: columns)
    }
  }

  private func linear(
    _ weights: AlignedMemory, _ bias: AlignedMemory, columns: Int
  ) throws -> Linear {
    let rows = bias.floats.count
    if precision == .reference {
      return try Linear(reference: weights, bias: bias.floats, rows: rows, columns: columns)
    }
    return try Linear(
      weights: weights.floats, bias: bias.floats, rows: rows, columns: columns,
      precision: precision)
  }

  private func selected(
    _ source: AlignedMemory, _ rows: [Int], columns: Int
  ) throws -> AlignedMemory {
    let bytes = columns * 4
    let copy = try AlignedMemory(byteCount: rows.count * bytes)
    for (place, row) in rows.enumerated() {
      assert((row + 1) * bytes <= source.byteCount, "row outside the matrix")
      copy.base.advanced(by: place * bytes)
        .copyMemory(from: source.base + row * bytes, byteCount: bytes)
    }
    return copy
  }

  /// A tensor widened to floats.
  func floats(_ name: String, _ shape: [Int]) throws -> AlignedMemory {
    let (stored, type) = try stored(name, shape)
    if type == .float32 { return stored }
    let count = stored.byteCount / type.byteCount
    let wide = try AlignedMemory(byteCount: count * 4)
    spo_widen(
      stored.base, type.kernelType, count, wide.base.assumingMemoryBound(to: Float.self))
    return wide
  }

  /// A tensor as it lies in the file; every value must be finite.
  func stored(_ name: String, _ shape: [Int]) throws -> (AlignedMemory, ElementType) {
    let entry = try tensors.require(name, shape)
    let memory = try AlignedMemory(byteCount: entry.range.count)
    try tensors.file.read(
      at: entry.range.lowerBound,
      into: UnsafeMutableRawBufferPointer(start: memory.base, count: memory.byteCount))
    let count = memory.byteCount / entry.type.byteCount
    guard spo_is_finite(memory.base, entry.type.kernelType, count) != 0 else {
      throw BundleError(tensors.file.path, tensor: name, "it holds a NaN or an infinity")
    }
    return (memory, entry.type)
  }
}

extension AlignedMemory {
  /// The memory as floats that fill it.
  var floats: UnsafeBufferPointer<Float> {
    UnsafeBufferPointer(start: base.assumingMemoryBound(to: Float.self), count: byteCount / 4)
  }
}

extension ElementType {
  /// The type as CKernels names it.
  var kernelType: Int32 {
    switch self {
    case .float32: SPO_F32
    case .float16: SPO_F16
    case .bfloat16: SPO_BF16
    }
  }
}

/// An embedding matrix [rows, width] in the file's own type; rows are widened on use.
struct EmbeddingTable: Sendable {
  private let memory: AlignedMemory
  private let type: ElementType
  private let rows, width: Int

  init(_ reader: WeightReader, _ name: String, rows: Int, width: Int) throws {
    (memory, type) = try reader.stored(name, [rows, width])
    (self.rows, self.width) = (rows, width)
  }

  /// Writes row `index`, which the caller has checked, to `out`.
  func copyRow(_ index: Int, to out: UnsafeMutablePointer<Float>) {
    assert((0..<rows).contains(index), "row outside the table")
    spo_widen(memory.base + index * width * type.byteCount, type.kernelType, width, out)
  }
}
