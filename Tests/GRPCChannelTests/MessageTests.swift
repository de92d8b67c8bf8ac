import GRPCChannel
import Testing

/// Reads across the borders of slices against the flat bytes.
@Suite struct MessageTests {
  /// Every way to cut eight bytes into slices.
  @Test func `Every range of every cut reads as the flat bytes do`() {
    let flat: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
    for cuts in 0..<(1 << 7) {
      let message = ReceivedMessage(pieces: pieces(flat, cuts))
      #expect(message.count == 8)
      #expect(message.bytes == flat)
      for low in 0...8 {
        for high in low...8 where message.bytes(low..<high) != Array(flat[low..<high]) {
          Issue.record("cuts \(cuts), \(low)..<\(high)")
        }
      }
    }
  }

  private func pieces(_ flat: [UInt8], _ cuts: Int) -> [[UInt8]] {
    var pieces: [[UInt8]] = [[]]
    for (index, byte) in flat.enumerated() {
      pieces[pieces.count - 1].append(byte)
      // Empty slices lie between others too.
      if index < 7, cuts >> index & 1 == 1 { pieces += [[], []] }
    }
    return pieces
  }

  @Test func `Elements are loaded from any offset, also across slices`() {
    let flat = (0..<24).map { UInt8($0 * 11 + 1) }
    for size in 1...9 {
      let cut = stride(from: 0, to: 24, by: size).map { Array(flat[$0..<min($0 + size, 24)]) }
      let message = ReceivedMessage(pieces: cut)
      func check<Element: FixedWidthInteger & BitwiseCopyable>(_ type: Element.Type) {
        let width = MemoryLayout<Element>.size
        for offset in 0...24 - width {
          let expected = flat[offset..<offset + width].reversed()
            .reduce(Element.zero) { $0 << 8 | Element(truncatingIfNeeded: $1) }
          #expect(
            message.load(at: offset, as: type) == (width == 1 ? Element(flat[offset]) : expected))
        }
      }
      check(UInt8.self)
      check(UInt16.self)
      check(UInt32.self)
      check(UInt64.self)
    }
  }

  @Test func `Pieces of a range are its bytes in order, none of them empty`() {
    let message = ReceivedMessage(pieces: [[1], [], [2, 3], [4, 5, 6]])
    var seen: [[UInt8]] = []
    message.forEachPiece(of: 1..<5) { seen.append(Array($0)) }
    #expect(seen == [[2, 3], [4, 5]])
    seen = []
    message.forEachPiece(of: 3..<3) { seen.append(Array($0)) }
    message.forEachPiece(of: 6..<6) { seen.append(Array($0)) }
    #expect(seen.isEmpty)
  }

  @Test func `An empty message has no bytes and no pieces`() {
    for message in [ReceivedMessage(pieces: []), ReceivedMessage(pieces: [[], []])] {
      #expect(message.count == 0)
      #expect(message.bytes == [])
      message.forEachPiece(of: 0..<0) { _ in Issue.record("there is a piece") }
    }
  }

  @Test func `Shared bytes are aligned, keep what they were given and release what was lent`() {
    let filled = SharedBytes(count: 100) { $0.copyBytes(from: pattern(100)) }
    filled.withBytes { bytes in
      #expect(Array(bytes) == pattern(100))
      #expect(Int(bitPattern: bytes.baseAddress!) % 16 == 0)
    }
    #expect(SharedBytes([1, 2] as [UInt16]).withBytes { Array($0) } == [1, 0, 2, 0])
    #expect(SharedBytes([] as [Float]).count == 0)
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 8, alignment: 8)
    let (released, announce) = AsyncStream.makeStream(of: Bool.self)
    var lent: SharedBytes? = SharedBytes(lending: memory) { pointer in
      pointer.deallocate()
      announce.yield(true)
      announce.finish()
    }
    #expect(lent?.count == 8)
    lent = nil
    _ = released
  }

  @Test func `A message counts its pieces`() {
    let message = OutgoingMessage(pieces: [
      .copied(pattern(3)), .shared(SharedBytes(pattern(70_000))), .copied([]),
    ])
    #expect(message.count == 70_003)
    #expect(OutgoingMessage([]).count == 0)
  }
}
