internal import BLAS
internal import CKernels
internal import Tensors
internal import RelationBundle

/// Tensors of a bundle as the forward pass wants them.
struct WeightReader {
  let tensors: SafeTensors
  let precision: Precision

  /// A Linear from `<name>.weight` [rows, columns] and `<name>.bias` [rows].
  ///
  /// `select` picks and orders the rows that are kept; all of them when it is nil. FP32 weights
  /// that OpenBLAS reads as they are stay in the mapped file.
  func linear(
    _ name: String, rows: Int, columns: Int, select: [Int]? = nil
  ) throws -> Linear {
    var weights = try floats("\(name).weight", [rows, columns])
    var bias = try floats("\(name).bias", [rows])
    if select == nil, let linear = try mapped(name, bias, rows: rows, columns: columns) {
      return linear
    }
    if let select {
      weights = select.flatMap { weights[$0 * columns..<($0 + 1) * columns] }
      bias = select.map { bias[$0] }
    }
    return weights.withUnsafeBufferPointer { weights in
      bias.withUnsafeBufferPointer { bias in
        Linear(
          weights: weights, bias: bias, rows: select?.count ?? rows, columns: columns,
          precision: precision)
      }
    }
  }

  /// The weights where they lie, when their type, their place and the precision allow it.
  private func mapped(
    _ name: String, _ bias: [Float], rows: Int, columns: Int
  ) throws -> Linear? {
    let entry = try tensors.require("\(name).weight", [rows, columns])
    guard precision == .reference, entry.type == .float32 else { return nil }
    return tensors.file.withBytes(entry.range) { bytes in
      guard Int(bitPattern: bytes.baseAddress) % MemoryLayout<Float>.alignment == 0 else {
        return nil
      }
      return bias.withUnsafeBufferPointer { bias in
        Linear(
          borrowing: bytes.assumingMemoryBound(to: Float.self), owner: tensors.file, bias: bias,
          rows: rows, columns: columns)
      }
    }
  }

  /// A tensor widened to floats; every value must be finite.
  func floats(_ name: String, _ shape: [Int]) throws -> [Float] {
    let entry = try tensors.require(name, shape)
    let values = tensors.file.withBytes(entry.range) { bytes in
      [Float](unsafeUninitializedCapacity: shape.reduce(1, *)) { buffer, count in
        count = buffer.count
        if count > 0 {
          spo_widen(bytes.baseAddress, entry.type.kernelType, count, buffer.baseAddress)
        }
      }
    }
    guard values.allSatisfy(\.isFinite) else {
      throw BundleError(tensors.file.path, tensor: name, "it holds a NaN or an infinity")
    }
    return values
  }
}

extension DataType {
  /// The type as CKernels names it.
  var kernelType: Int32 {
    switch self {
    case .float32: SPO_F32
    case .float16: SPO_F16
    case .bfloat16: SPO_BF16
    }
  }
}

/// An embedding matrix [rows, width] that stays in the mapped file; rows are widened on use.
struct EmbeddingTable: Sendable {
  let file: MappedFile
  let range: Range<Int>
  let type: DataType
  let width: Int

  init(_ tensors: SafeTensors, _ name: String, rows: Int, width: Int) throws {
    let entry = try tensors.require(name, [rows, width])
    (file, range, type) = (tensors.file, entry.range, entry.type)
    self.width = width
  }

  /// Writes row `index`, which the caller has checked, to `out`.
  func copyRow(_ index: Int, to out: UnsafeMutablePointer<Float>) {
    let bytes = width * type.byteCount
    let start = range.lowerBound + index * bytes
    file.withBytes(start..<start + bytes) {
      spo_widen($0.baseAddress, type.kernelType, width, out)
    }
  }
}
