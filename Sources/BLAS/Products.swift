internal import CKernels
internal import COpenBLAS

/// c [m, n] = a [m, k] b^T for b [n, k], or a b for b [k, n] when `transposed`; FP32.
///
/// The right side is packed on the way where the processor has the packed kernel; `scratch`
/// must hold `multiplyScratchCount(n, k)` floats.
package func multiply(
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
package func multiplyScratchCount(n: Int, k: Int) -> Int {
  Linear.scratchCount(depth: k) + spo_packed_bytes(n, k, 0) / 4
}
