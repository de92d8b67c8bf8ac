/// The wire's form of a BYTES tensor: each element behind its 32-bit little-endian count.
enum BytesTensor {
  static func encode(_ elements: [[UInt8]]) -> [UInt8] {
    var wire: [UInt8] = []
    wire.reserveCapacity(elements.reduce(0) { $0 + 4 + $1.count })
    for element in elements {
      let count = UInt32(element.count)
      for shift in stride(from: 0, to: 32, by: 8) {
        wire.append(UInt8(truncatingIfNeeded: count >> UInt32(shift)))
      }
      wire += element
    }
    return wire
  }

  /// Nil when the counts do not add up to the bytes, or there are other than `expected` elements.
  static func decode(_ wire: [UInt8], expected: Int) -> [[UInt8]]? {
    var elements: [[UInt8]] = []
    var at = 0
    while at < wire.count {
      guard wire.count - at >= 4, elements.count < expected else { return nil }
      let count = wire[at..<at + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
      at += 4
      guard wire.count - at >= count else { return nil }
      elements.append(Array(wire[at..<at + count]))
      at += count
    }
    return elements.count == expected ? elements : nil
  }
}
