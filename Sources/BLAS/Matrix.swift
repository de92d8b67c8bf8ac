internal import CKernels
internal import COpenBLAS

/// How a weight matrix is stored and multiplied.
public enum Precision: String, Sendable, CaseIterable {
  /// FP32 through OpenBLAS: the reference, on every processor.
  case reference
  /// FP32 in packed panels; needs AVX-512.
  case float32
  /// BF16 weights and activations with FP32 sums; needs AVX-512 BF16.
  case bfloat16

  /// Whether this processor can run it.
  public var isSupported: Bool {
    switch self {
    case .reference: true
    case .float32: spo_cpu_level() >= SPO_CPU_AVX512
    case .bfloat16: spo_cpu_level() >= SPO_CPU_AVX512_BF16
    }
  }

  /// The fastest FP32 choice of this processor.
  public static var fastestFloat32: Precision { float32.isSupported ? .float32 : .reference }
}

/// OpenBLAS as this project uses it: one thread, since the engine runs its own.
public enum OpenBLAS {
  /// Sets OpenBLAS to one thread, once. Its own threads and the engine's would fight for cores.
  public static let singleThreaded: Void = openblas_set_num_threads(1)

  /// The library's own description of its build and kernels.
  public static var configuration: String {
    "\(String(cString: openblas_get_config())) \(String(cString: openblas_get_corename()))"
  }
}

/// A weight matrix W [rows, columns] with its bias, ready for y = x W^T + bias.
public final class Linear: Sendable {
  /// Output features.
  public let rows: Int
  /// Input features.
  public let columns: Int
  /// How it is stored.
  public let precision: Precision
  // Written in init only, then read by any thread.
  private nonisolated(unsafe) let weights: UnsafeRawPointer
  /// Keeps borrowed weights alive; nil where `weights` is our own allocation.
  private let owner: (any AnyObject & Sendable)?
  private nonisolated(unsafe) let bias: UnsafeMutablePointer<Float>?

  /// Copies W, row-major floats [rows, columns], and the bias [rows], into its own storage.
  ///
  /// Traps when a count does not fit the shape or the processor lacks the precision.
  public init(
    weights source: UnsafeBufferPointer<Float>, bias: UnsafeBufferPointer<Float>?, rows: Int,
    columns: Int, precision: Precision
  ) {
    precondition(source.count == rows * columns, "weights do not fit [\(rows), \(columns)]")
    precondition(bias == nil || bias?.count == rows, "bias does not fit [\(rows)]")
    precondition(precision.isSupported, "\(precision) is not supported by this processor")
    (self.rows, self.columns, self.precision) = (rows, columns, precision)
    owner = nil
    if precision == .reference {
      let copy = UnsafeMutableRawPointer.allocate(byteCount: source.count * 4, alignment: 64)
      copy.copyMemory(from: source.baseAddress!, byteCount: source.count * 4)
      weights = UnsafeRawPointer(copy)
    } else {
      let half: Int32 = precision == .bfloat16 ? 1 : 0
      let packed = UnsafeMutableRawPointer.allocate(
        byteCount: spo_packed_bytes(rows, columns, half), alignment: 64)
      spo_pack(source.baseAddress, columns, rows, columns, 0, half, packed)
      weights = UnsafeRawPointer(packed)
    }
    self.bias = bias.map(Self.copy)
  }

  /// Uses W where it lies, in the reference precision; `owner` keeps the memory alive.
  public init(
    borrowing source: UnsafeBufferPointer<Float>, owner: any AnyObject & Sendable,
    bias: UnsafeBufferPointer<Float>?, rows: Int, columns: Int
  ) {
    precondition(source.count == rows * columns, "weights do not fit [\(rows), \(columns)]")
    precondition(bias == nil || bias?.count == rows, "bias does not fit [\(rows)]")
    (self.rows, self.columns, precision) = (rows, columns, .reference)
    weights = UnsafeRawPointer(source.baseAddress!)  // a weight matrix is never empty
    self.owner = owner
    self.bias = bias.map(Self.copy)
  }

  private static func copy(_ bias: UnsafeBufferPointer<Float>) -> UnsafeMutablePointer<Float> {
    let copy = UnsafeMutablePointer<Float>.allocate(capacity: bias.count)
    copy.initialize(from: bias.baseAddress!, count: bias.count)
    return copy
  }

  deinit {
    if owner == nil { weights.deallocate() }
    bias?.deallocate()
  }

  /// y [count, rows] = x [count, columns] W^T + bias, with `stride` floats from row to row of x.
  public func apply(
    _ x: UnsafePointer<Float>, stride: Int? = nil, count: Int, into y: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    guard count > 0 else { return }
    let stride = stride ?? columns
    if precision == .reference {
      cblas_sgemm(
        CblasRowMajor, CblasNoTrans, CblasTrans, Int32(count), Int32(rows), Int32(columns), 1, x,
        Int32(stride), weights.assumingMemoryBound(to: Float.self), Int32(columns), 0, y,
        Int32(rows))
      if let bias { spo_add_bias(y, count, rows, rows, bias) }
    } else {
      spo_gemm_packed(
        count, rows, columns, x, stride, weights, precision == .bfloat16 ? 1 : 0, bias, y, rows,
        scratch)
    }
  }

  /// Floats of scratch that `apply` and `multiply` need for products over `depth`.
  public static func scratchCount(depth: Int) -> Int { spo_gemm_scratch_bytes(depth) / 4 }
}

/// c [m, n] = a [m, k] b^T for b [n, k], or a b for b [k, n] when `transposed`; FP32.
///
/// The right side is packed on the way where the processor has the packed kernel; `scratch`
/// must hold `multiplyScratchCount(n, k)` floats.
public func multiply(
  m: Int, n: Int, k: Int, _ a: UnsafePointer<Float>, strideA: Int, _ b: UnsafePointer<Float>,
  strideB: Int, transposed: Bool, into c: UnsafeMutablePointer<Float>, strideC: Int,
  precision: Precision, scratch: UnsafeMutablePointer<Float>
) {
  if precision == .reference {
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, transposed ? CblasNoTrans : CblasTrans, Int32(m), Int32(n),
      Int32(k), 1, a, Int32(strideA), b, Int32(strideB), 0, c, Int32(strideC))
  } else {
    let packed = scratch + Linear.scratchCount(depth: k)
    spo_pack(b, strideB, n, k, transposed ? 1 : 0, 0, packed)
    spo_gemm_packed(m, n, k, a, strideA, packed, 0, nil, c, strideC, scratch)
  }
}

/// Floats of scratch that `multiply` needs.
public func multiplyScratchCount(n: Int, k: Int) -> Int {
  Linear.scratchCount(depth: k) + spo_packed_bytes(n, k, 0) / 4
}
