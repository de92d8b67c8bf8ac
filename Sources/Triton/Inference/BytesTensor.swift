/// The wire's form of a BYTES tensor: each element behind its 32-bit little-endian count.
///
/// `InferInput` and `OutputTensor` use it by themselves; tensors in shared memory are written and
/// read with it by hand.
public enum BytesTensor {
  /// The bytes that elements of these take on the wire.
  public static func byteCount(of elements: [[UInt8]]) -> Int {
    elements.reduce(0) { $0 + 4 + $1.count }
  }

  /// The wire's bytes. Traps on an element of 4 GiB or more.
  public static func encode(_ elements: [[UInt8]]) -> [UInt8] {
    var wire: [UInt8] = []
    wire.reserveCapacity(byteCount(of: elements))
    for element in elements {
      let count = UInt32(element.count)
      for shift in stride(from: 0, to: 32, by: 8) {
        wire.append(UInt8(truncatingIfNeeded: count >> UInt32(shift)))
      }
      wire += element
    }
    return wire
  }

  /// The wire's bytes of UTF-8 texts.
  public static func encode(strings: [String]) -> [UInt8] {
    encode(strings.map { Array($0.utf8) })
  }

  /// Writes the wire's bytes to the front of `place`, such as a leased part of a region.
  ///
  /// - Returns: the bytes written.
  /// - Throws: `TritonError` of class `invalidRequest` when they are more than there is room for.
  @discardableResult
  public static func encode(
    _ elements: [[UInt8]], into place: UnsafeMutableRawBufferPointer
  ) throws -> Int {
    let wire = encode(elements)
    guard wire.count <= place.count else {
      throw TritonError(
        code: .invalidRequest,
        message: "\(elements.count) BYTES elements take \(wire.count) bytes, "
          + "there is room for \(place.count)", remedy: "lease byteCount(of:) bytes")
    }
    place.copyBytes(from: wire)
    return wire.count
  }

  /// The elements of a tensor of `count` of them, out of all its bytes.
  ///
  /// - Throws: `TritonError` of class `serverBug` when the counts do not add up to the bytes, or
  ///   there are other than `count` elements.
  public static func decode(_ wire: [UInt8], count expected: Int) throws -> [[UInt8]] {
    try wire.withUnsafeBytes { try decode($0, count: expected) }
  }

  /// The same of bytes where they lie, such as in a region.
  ///
  /// - Parameter wire: exactly the tensor's bytes.
  public static func decode(_ wire: UnsafeRawBufferPointer, count expected: Int) throws -> [[UInt8]]
  {
    func fault(_ what: String) -> TritonError {
      TritonError(
        code: .serverBug,
        message: "\(wire.count) bytes are no \(expected) BYTES elements: \(what)")
    }
    var elements: [[UInt8]] = []
    var at = 0
    while at < wire.count {
      guard elements.count < expected else { throw fault("there are more") }
      guard wire.count - at >= 4 else { throw fault("they end inside a count") }
      let count = Int(UInt32(littleEndian: wire.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
      at += 4
      guard wire.count - at >= count else {
        throw fault(
          "element \(elements.count) claims \(count) bytes of the \(wire.count - at) left")
      }
      elements.append(Array(wire[at..<at + count]))
      at += count
    }
    guard elements.count == expected else { throw fault("there are \(elements.count)") }
    return elements
  }
}
