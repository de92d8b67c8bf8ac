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
