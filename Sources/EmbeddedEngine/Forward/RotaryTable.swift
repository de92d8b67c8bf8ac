internal import Foundation

/// Rotary position embedding (Su, 2021) on interleaved pairs: theta_i = 10000^(-2i/d), token 0
/// at position 0.
struct RotaryTable: Sendable {
  private let pairs: Int
  /// cos and sin alternating, [positions, pairs, 2].
  private let turns: [Float]

  init(positions: Int, size: Int) {
    pairs = size / 2
    let angles = (0..<size / 2).map { pow(10_000, -2 * Double($0) / Double(size)) }
    turns = (0..<positions).flatMap { position in
      angles.flatMap { [Float(cos(Double(position) * $0)), Float(sin(Double(position) * $0))] }
    }
  }

  /// Rotates one vector of `2 * pairs` floats in place.
  func rotate(_ vector: UnsafeMutablePointer<Float>, _ position: Int) {
    assert(position >= 0 && (position + 1) * pairs * 2 <= turns.count, "position outside the table")
    turns.withUnsafeBufferPointer { turns in
      let turn = turns.baseAddress! + position * pairs * 2  // the table is never empty
      for i in 0..<pairs {
        let (a, b) = (vector[2 * i], vector[2 * i + 1])
        vector[2 * i] = a * turn[2 * i] - b * turn[2 * i + 1]
        vector[2 * i + 1] = b * turn[2 * i] + a * turn[2 * i + 1]
      }
    }
  }
}
