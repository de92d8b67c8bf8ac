internal import GRPCChannel

/// Reads protobuf's fields one after the other over the slices of a message, without joining them.
///
/// Whatever the bytes are, it ends with them or throws; https://protobuf.dev/programming-guides/encoding.
struct WireCursor {
  private let message: ReceivedMessage
  private(set) var at: Int
  private let end: Int
  // The slice that holds `at`, once a byte of it has been read: finding it anew takes a search.
  private var piece = UnsafeRawBufferPointer(start: nil, count: 0)
  private var pieceStart = 0

  /// A cursor over `range` of a message.
  init(_ message: ReceivedMessage, _ range: Range<Int>) {
    self.message = message
    (at, end) = (range.lowerBound, range.upperBound)
  }

  /// A field and, where it is length-delimited, the place of its content.
  struct Field {
    let number: UInt64
    let content: Range<Int>?
  }

  /// The next field; nil at the end.
  mutating func next() throws -> Field? {
    guard at < end else { return nil }
    let key = try varint()
    let number = key >> 3
    guard number > 0, number < 1 << 29 else { throw fault("there is no field \(number)") }
    switch key & 7 {
    case 0: _ = try varint()
    case 1: try skip(8)
    case 2: return Field(number: number, content: try delimited(number))
    case 5: try skip(4)
    default: throw fault("wire type \(key & 7)")
    }
    return Field(number: number, content: nil)
  }

  private mutating func delimited(_ number: UInt64) throws -> Range<Int> {
    let count = try varint()
    guard count <= UInt64(end - at) else {
      throw fault("field \(number) claims \(count) bytes of the \(end - at) left")
    }
    defer { at += Int(count) }
    return at..<at + Int(count)
  }

  private mutating func skip(_ count: Int) throws {
    guard end - at >= count else { throw fault("the message ends inside a field") }
    at += count
  }

  private mutating func varint() throws -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      let byte = try byte()
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw fault("a number has more than ten bytes")
  }

  private mutating func byte() throws -> UInt8 {
    guard at < end else { throw fault("the message ends inside a number") }
    if at - pieceStart >= piece.count { (piece, pieceStart) = (message.piece(at: at), at) }
    defer { at += 1 }
    return piece[at - pieceStart]
  }

  private func fault(_ what: String) -> ProtobufFault {
    ProtobufFault(description: "the answer is no ModelInferResponse: byte \(at): \(what)")
  }
}
