import BLAS
import CKernels
import Foundation
import Testing

@Suite struct KernelTests {
  @Test(arguments: EngineTests.supported)
  func `A product of any shape equals the naive sum`(precision: Precision) throws {
    var random = SystemRandomNumberGenerator()
    let tolerance: Float = precision == .bfloat16 ? 0.02 : 1e-5
    for (m, n, k) in [
      (1, 1, 1), (1, 33, 7), (13, 31, 64), (12, 32, 2), (97, 65, 769), (5, 40, 1537),
    ] {
      func values(_ count: Int) -> [Float] {
        (0..<count).map { _ in Float.random(in: -1...1, using: &random) }
      }
      let (a, w, bias) = (values(m * k), values(n * k), values(n))
      let linear = try w.withUnsafeBufferPointer { w in
        try bias.withUnsafeBufferPointer {
          try Linear(weights: w, bias: $0, rows: n, columns: k, precision: precision)
        }
      }
      var c = [Float](repeating: .nan, count: m * n)
      var scratch = [Float](repeating: .nan, count: Linear.scratchCount(depth: k))
      linear.apply(a, count: m, into: &c, scratch: &scratch)
      for i in 0..<m {
        for j in 0..<n {
          let sum = (0..<k).reduce(Double(bias[j])) { $0 + Double(a[i * k + $1] * w[j * k + $1]) }
          let size = Float(k).squareRoot()
          #expect(abs(c[i * n + j] - Float(sum)) < tolerance * (1 + size), "\(m) \(n) \(k)")
        }
      }
    }
  }

  @Test func `GELU is within 1e-6 of the exact one`() {
    var x = stride(from: Float(-12), through: 12, by: 0.01).map { $0 }
    let exact = x.map { Double($0) * 0.5 * erfc(-Double($0) / 2.0.squareRoot()) }
    spo_gelu(&x, x.count)
    for (a, b) in zip(x, exact) { #expect(abs(Double(a) - b) < 1e-6) }
  }

  @Test func `Softmax rows sum to one and keep their order`() {
    for width in [1, 2, 15, 16, 17, 100] {
      var x = (0..<width).map { Float($0 % 7) * 20 - 50 }
      let before = x
      spo_softmax(&x, 1, width, width, 0.5)
      #expect(abs(x.reduce(0, +) - 1) < 1e-5)
      let total = before.reduce(0) { $0 + exp(Double($1) / 2) }
      for (a, b) in zip(x, before) { #expect(abs(Double(a) - exp(Double(b) / 2) / total) < 1e-6) }
    }
  }

  @Test func `Half precision widens exactly, subnormals and infinities too`() {
    let bits: [UInt16] = [0, 0x8000, 0x3C00, 0xC000, 0x0001, 0x83FF, 0x7BFF, 0x7C00, 0xFC00]
    var out = [Float](repeating: 0, count: bits.count)
    spo_widen(bits, SPO_F16, bits.count, &out)
    #expect(out == bits.map { Float(Float16(bitPattern: $0)) })
  }
}
