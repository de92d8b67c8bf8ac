import Testing

@testable import BLAS

@Suite struct MemoryTests {
  @Test func `Memory that the system does not have is an error that says how much, not a trap`()
    throws
  {
    let bytes = 1 << 60
    #expect(throws: AllocationError(byteCount: bytes)) { try AlignedMemory(byteCount: bytes) }
    let buffer = FloatBuffer()
    #expect(throws: AllocationError.self) { try buffer.reserve(bytes / 4) }
    #expect("\(AllocationError(byteCount: bytes))".contains("no memory for \(bytes) bytes"))
    // The buffer goes on.
    try buffer.reserve(3)[2] = 1
  }

  @Test func `Memory is aligned, and none is some too`() throws {
    for count in [0, 1, 63, 4_096] {
      #expect(Int(bitPattern: try AlignedMemory(byteCount: count).base) % 64 == 0)
      #expect(Int(bitPattern: try FloatBuffer().reserve(count)) % 64 == 0)
    }
  }

  #if DEBUG
    @Test func `A pointer from before reads NaNs in debug builds, and so does new scratch`() throws
    {
      let buffer = FloatBuffer()
      let before = try buffer.reserve(4)
      for i in 0..<4 { before[i] = Float(i) }
      let after = try buffer.reserve(2)
      #expect((0..<4).allSatisfy { before[$0].isNaN })
      #expect((0..<2).allSatisfy { after[$0].isNaN })
      #expect(buffer.capacity == 4)
    }
  #endif
}
