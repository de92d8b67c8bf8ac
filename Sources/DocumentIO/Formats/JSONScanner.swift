/// Why bytes are no JSON, and where.
struct JSONFault: Error, Equatable {
  /// The byte, from 0.
  var byte: Int
  /// What stands there, against what may.
  var reason: String
  /// Whether the bytes only end too early.
  var isTooShort = false
}

/// Reads JSON by RFC 8259 to the letter, without recursion: what holds for each byte is checked,
/// and where the members of the outer object lie is remembered.
struct JSONScanner {
  /// A member of the outer object, both as they lie in the bytes.
  struct Member {
    /// The name with its quotes.
    var name: Range<Int>
    /// Whether the name has escapes.
    var nameIsEscaped: Bool
    /// The value.
    var value: Range<Int>
  }

  /// The most levels of arrays and objects within each other.
  static let deepest = 1_024

  /// How far the bytes are valid.
  var at = 0
  /// Of each open level, whether it is an object.
  private var levels: [Bool] = []

  /// The members of the one object that the bytes are, in their order.
  static func members(
    of bytes: Span<UInt8>, into members: inout [Member]
  ) throws(JSONFault) {
    var scanner = JSONScanner()
    members.removeAll(keepingCapacity: true)
    scanner.skipBlanks(bytes)
    guard scanner.peek(bytes) == UInt8(ascii: "{") else {
      throw scanner.fault(bytes, "an object that begins with {")
    }
    scanner.at += 1
    try scanner.readMembers(bytes, &members)
    scanner.skipBlanks(bytes)
    guard scanner.at == bytes.count else { throw scanner.fault(bytes, "nothing after the object") }
  }

  private mutating func readMembers(
    _ bytes: Span<UInt8>, _ members: inout [Member]
  ) throws(JSONFault) {
    skipBlanks(bytes)
    if take(UInt8(ascii: "}"), bytes) { return }
    while true {
      let (name, isEscaped) = try readName(bytes)
      let start = at
      try value(bytes)
      members.append(Member(name: name, nameIsEscaped: isEscaped, value: start..<at))
      skipBlanks(bytes)
      if take(UInt8(ascii: "}"), bytes) { return }
      guard take(UInt8(ascii: ","), bytes) else { throw fault(bytes, "a comma or }") }
    }
  }

  /// Reads one value, with all that it holds.
  mutating func value(_ bytes: Span<UInt8>) throws(JSONFault) {
    levels.removeAll(keepingCapacity: true)
    repeat {
      skipBlanks(bytes)
      if try opens(bytes) { continue }
      try close(bytes)
    } while !levels.isEmpty
  }

  /// Reads a scalar, or the beginning of an array or object; true when its first value follows.
  private mutating func opens(_ bytes: Span<UInt8>) throws(JSONFault) -> Bool {
    switch peek(bytes) {
    case UInt8(ascii: "\""): _ = try string(bytes)
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      let isObject = bytes[at] == UInt8(ascii: "{")
      guard levels.count < Self.deepest else {
        throw JSONFault(
          byte: at, reason: "there are more than \(Self.deepest) levels within each other")
      }
      at += 1
      skipBlanks(bytes)
      if take(UInt8(ascii: isObject ? "}" : "]"), bytes) { return false }
      levels.append(isObject)
      if isObject { _ = try readName(bytes) }
      return true
    default: try scalar(bytes)
    }
    return false
  }

  /// After a value: closes the levels that end here, or goes to the next value of one.
  private mutating func close(_ bytes: Span<UInt8>) throws(JSONFault) {
    while let isObject = levels.last {
      skipBlanks(bytes)
      if take(UInt8(ascii: ","), bytes) {
        if isObject { _ = try readName(bytes) }
        return
      }
      guard take(UInt8(ascii: isObject ? "}" : "]"), bytes) else {
        throw fault(bytes, isObject ? "a comma or }" : "a comma or ]")
      }
      levels.removeLast()
    }
  }

  /// Reads a name and its colon, up to the value.
  private mutating func readName(
    _ bytes: Span<UInt8>
  ) throws(JSONFault) -> (name: Range<Int>, isEscaped: Bool) {
    skipBlanks(bytes)
    guard peek(bytes) == UInt8(ascii: "\"") else { throw fault(bytes, "a name in quotes") }
    let start = at
    let isEscaped = try string(bytes)
    let name = start..<at
    skipBlanks(bytes)
    guard take(UInt8(ascii: ":"), bytes) else { throw fault(bytes, "a colon") }
    skipBlanks(bytes)
    return (name, isEscaped)
  }

  mutating func skipBlanks(_ bytes: Span<UInt8>) {
    while at < bytes.count {
      let byte = bytes[at]
      guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
      at += 1
    }
  }

  func peek(_ bytes: Span<UInt8>) -> UInt8? { at < bytes.count ? bytes[at] : nil }

  mutating func take(_ byte: UInt8, _ bytes: Span<UInt8>) -> Bool {
    guard peek(bytes) == byte else { return false }
    at += 1
    return true
  }

  /// What stands at this place, where something else is expected.
  func fault(_ bytes: Span<UInt8>, _ expected: String) -> JSONFault {
    guard at < bytes.count else {
      return JSONFault(byte: at, reason: "it ends where \(expected) is expected", isTooShort: true)
    }
    return JSONFault(byte: at, reason: "\(shown(bytes)) stands where \(expected) is expected")
  }

  /// The word or character at this place.
  private func shown(_ bytes: Span<UInt8>) -> String {
    var word: [UInt8] = []
    for index in at..<min(at + 10, bytes.count) {
      let byte = bytes[index] | 0x20
      let isLetter = UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte
      guard isLetter || bytes[index] == UInt8(ascii: "-") && word.isEmpty else { break }
      word.append(bytes[index])
    }
    if word.count > 1 { return String(decoding: word, as: UTF8.self) }
    let byte = bytes[at]
    return 0x21..<0x7F ~= byte ? String(UnicodeScalar(byte)) : "byte \(hex(byte))"
  }
}
