internal import CKernels
internal import COpenBLAS

/// A weight matrix W [rows, columns] with its bias, ready for y = x W^T + bias.
public final class Linear: Sendable {
  /// Output features.
  public let rows: Int
  /// Input features.
  public let columns: Int
  /// How it is stored.
  public let precision: Precision
  private let weights: AlignedMemory
  private let bias: AlignedMemory?

  /// Copies W, row-major floats [rows, columns], and the bias [rows], into its own storage.
  ///
  /// Traps when a count does not fit the shape or the processor lacks the precision; throws when
  /// the system has no memory for it.
  public init(
    weights source: UnsafeBufferPointer<Float>, bias: UnsafeBufferPointer<Float>?, rows: Int,
    columns: Int, precision: Precision
  ) throws(AllocationError) {
    precondition(source.count == rows * columns, "weights do not fit [\(rows), \(columns)]")
    precondition(bias == nil || bias?.count == rows, "bias does not fit [\(rows)]")
    precondition(precision.isSupported, "\(precision) is not supported by this processor")
    (self.rows, self.columns, self.precision) = (rows, columns, precision)
    self.bias = try bias.map { (bias) throws(AllocationError) in try Self.copy(bias) }
    if precision == .reference {
      weights = try Self.copy(source)
    } else {
      let half: Int32 = precision == .bfloat16 ? 1 : 0
      weights = try AlignedMemory(byteCount: spo_packed_bytes(rows, columns, half))
      spo_pack(source.baseAddress, columns, rows, columns, 0, half, weights.base)
    }
  }

  /// Takes W [rows, columns], row-major floats, as it lies, in the reference precision.
  package init(
    reference weights: AlignedMemory, bias: UnsafeBufferPointer<Float>, rows: Int, columns: Int
  ) throws(AllocationError) {
    precondition(
      weights.byteCount == rows * columns * 4, "weights do not fit [\(rows), \(columns)]")
    precondition(bias.count == rows, "bias does not fit [\(rows)]")
    (self.rows, self.columns, precision) = (rows, columns, .reference)
    self.weights = weights
    self.bias = try Self.copy(bias)
  }

  private static func copy(_ source: UnsafeBufferPointer<Float>) throws(AllocationError)
    -> AlignedMemory
  {
    let copy = try AlignedMemory(byteCount: source.count * 4)
    if let address = source.baseAddress {
      copy.base.copyMemory(from: address, byteCount: source.count * 4)
    }
    return copy
  }

  /// y [count, rows] = x [count, columns] W^T + bias, with `stride` floats from row to row of x.
  public func apply(
    _ x: UnsafePointer<Float>, stride: Int? = nil, count: Int, into y: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    guard count > 0 else { return }
    let stride = stride ?? columns
    assert(stride >= columns, "rows of x overlap")
    let bias = bias?.base.assumingMemoryBound(to: Float.self)
    if precision == .reference {
      cblas_sgemm(
        CblasRowMajor, CblasNoTrans, CblasTrans, Int32(count), Int32(rows), Int32(columns), 1, x,
        Int32(stride), weights.base.assumingMemoryBound(to: Float.self), Int32(columns), 0, y,
        Int32(rows))
      if let bias { spo_add_bias(y, count, rows, rows, bias) }
    } else {
      spo_gemm_packed(
        count, rows, columns, x, stride, weights.base, precision == .bfloat16 ? 1 : 0, bias, y,
        rows, scratch)
    }
  }

  /// Floats of scratch that `apply` and `multiply` need for products over `depth`.
  public static func scratchCount(depth: Int) -> Int { spo_gemm_scratch_bytes(depth) / 4 }
}
