/// Numbers that a seed repeats: splitmix64.
package struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64
  package init(_ seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  package mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &self) }
  package mutating func flip() -> Bool { Bool.random(using: &self) }

  package mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) }
  }

  /// Text of one to four bytes a character; sometimes empty, sometimes longer than one length byte.
  package mutating func text(_ longest: Int = 12) -> String {
    let length = below(20) == 0 ? 200 : below(longest + 1)
    return String((0..<length).map { _ in Self.characters[below(Self.characters.count)] })
  }
  private static let characters = Array("abcXYZ 019_-.äß漢字😀")

  /// Numbers near the places where varints grow, and any others.
  package mutating func integer() -> Int64 {
    let edges: [Int64] = [0, 1, -1, 127, 128, 16_383, 16_384, .max, .min]
    return flip() ? edges[below(edges.count)] : Int64(truncatingIfNeeded: next() >> below(64))
  }

  package mutating func double() -> Double {
    let edges: [Double] = [0, -0.0, 1.5, .infinity, -.infinity, .nan, .leastNonzeroMagnitude]
    return flip() ? edges[below(edges.count)] : Double(bitPattern: next())
  }

  /// A message cut anywhere, empty pieces included.
  package mutating func slices(_ bytes: [UInt8]) -> [[UInt8]] {
    let cuts = (0..<below(8)).map { _ in below(bytes.count + 1) }.sorted()
    return zip([0] + cuts, cuts + [bytes.count]).map { Array(bytes[$0..<$1]) }
  }
}
