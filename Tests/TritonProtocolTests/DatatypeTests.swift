import TestSupport
import Testing

@testable import Triton

@Suite struct DatatypeTests {
  @Test func `Every type has Triton's name and size, and its configuration's name`() {
    let sizes: [Datatype: Int?] = [
      .bool: 1, .uint8: 1, .uint16: 2, .uint32: 4, .uint64: 8, .int8: 1, .int16: 2, .int32: 4,
      .int64: 8, .fp16: 2, .bf16: 2, .fp32: 4, .fp64: 8, .bytes: nil,
    ]
    #expect(sizes.count == Datatype.allCases.count)
    for (datatype, size) in sizes {
      #expect(datatype.byteCount == size, "\(datatype)")
      let name = datatype == .bytes ? "TYPE_STRING" : "TYPE_\(datatype)"
      #expect(Datatype(configurationName: name) == datatype)
    }
    for name in ["TYPE_INVALID", "FP32", "TYPE_", "", "TYPE_FP8"] {
      #expect(Datatype(configurationName: name) == nil)
    }
  }

  @Test func `Every element's Swift type is as long as its datatype says`() {
    func check<Element: TensorElement>(_ type: Element.Type) {
      #expect(MemoryLayout<Element>.size == Element.datatype.byteCount)
      #expect(MemoryLayout<Element>.stride == Element.datatype.byteCount)
    }
    check(Bool.self)
    check(UInt8.self)
    check(UInt16.self)
    check(UInt32.self)
    check(UInt64.self)
    check(Int8.self)
    check(Int16.self)
    check(Int32.self)
    check(Int64.self)
    check(Float16.self)
    check(BFloat16.self)
    check(Float.self)
    check(Double.self)
  }

  @Test func `Every BF16 survives the way to Float and back`() {
    for bits in UInt16.min ... .max {
      let float = BFloat16(bitPattern: bits).float
      let back = BFloat16(float)
      if float.isNaN {
        #expect(back.float.isNaN)
      } else {
        #expect(back.bitPattern == bits)
      }
    }
  }

  @Test func `A Float becomes the nearest BF16, ties to even`() {
    var random = SeededRandom(3)
    for _ in 0..<50_000 {
      let value = Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
      guard value.isFinite else { continue }
      let ours = BFloat16(value)
      // The two neighbours towards and away from zero, and the one that is nearer.
      let low = BFloat16(bitPattern: UInt16(truncatingIfNeeded: value.bitPattern >> 16))
      let high = BFloat16(bitPattern: low.bitPattern &+ 1)
      let below = (Double(value) - Double(low.float)).magnitude
      // Past the largest number the step goes on as if there were one more.
      let above =
        high.float.isFinite
        ? (Double(high.float) - Double(value)).magnitude
        : Double(sign: .plus, exponent: 120, significand: 1) - below
      let even = low.bitPattern & 1 == 0 ? low : high
      let nearest = below < above ? low : above < below ? high : even
      guard ours == nearest else {
        Issue.record("\(value) is \(ours.float), expected \(nearest.float)")
        return
      }
    }
    #expect(BFloat16(.infinity).float == .infinity)
    #expect(BFloat16(-.infinity).float == -.infinity)
    #expect(BFloat16(Float(bitPattern: 0x7F80_0001)).float.isNaN)
    #expect(BFloat16(Float(bitPattern: 0xFFFF_FFFF)).float.isNaN)
  }

  @Test func `BYTES elements come back as they were`() {
    var random = SeededRandom(4)
    for _ in 0..<300 {
      let elements = (0..<random.below(6)).map { _ in random.bytes(random.below(300)) }
      let wire = BytesTensor.encode(elements)
      #expect((try? BytesTensor.decode(wire, count: elements.count)) == elements)
      #expect((try? BytesTensor.decode(wire, count: elements.count + 1)) == nil)
      #expect(elements.isEmpty || (try? BytesTensor.decode(wire, count: elements.count - 1)) == nil)
      if !wire.isEmpty {
        #expect((try? BytesTensor.decode(wire.dropLast(), count: elements.count)) == nil)
        #expect((try? BytesTensor.decode(wire + [0], count: elements.count)) == nil)
      }
    }
  }

  @Test func `Hostile counts of BYTES are refused`() {
    let cases: [[UInt8]] = [
      [0xFF, 0xFF, 0xFF, 0xFF], [0xFF, 0xFF, 0xFF, 0xFF, 1], [1, 0, 0, 0], [0, 0, 0],
      [0, 0, 0, 0x80, 1, 2], [2, 0, 0, 0, 1],
    ]
    for wire in cases { #expect((try? BytesTensor.decode(wire, count: 1)) == nil, "\(wire)") }
    #expect((try? BytesTensor.decode([], count: .max)) == nil)
    #expect((try? BytesTensor.decode([], count: 0)) == [])
  }

  @Test func `Element counts overflow to nil`() {
    #expect(elementCount(of: []) == 1)
    #expect(elementCount(of: [2, 3, 0]) == 0)
    #expect(elementCount(of: [-1]) == nil)
    #expect(elementCount(of: [0, -1]) == nil)
    #expect(elementCount(of: [.max, 2]) == nil)
    #expect(elementCount(of: [1 << 32, 1 << 31]) == nil)
  }
}
