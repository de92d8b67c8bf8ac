extension JSONValue {
  /// Values nested deeper than this are refused, so that no input can exhaust the stack.
  public static let deepest = 512

  /// Reads the one value that the bytes hold.
  ///
  /// - Throws: `JSONError` with the place for anything that RFC 8259 does not allow, for bytes that
  ///   are no UTF-8, for half a surrogate pair, and beyond `deepest`.
  public init(_ bytes: [UInt8]) throws(JSONError) {
    let result = bytes.withUnsafeBufferPointer { bytes in
      Result { () throws(JSONError) in
        var reader = JSONReader(bytes: bytes)
        return try reader.whole()
      }
    }
    self = try result.get()
  }
}

/// Reads JSON by recursive descent, once over the bytes.
struct JSONReader {
  let bytes: UnsafeBufferPointer<UInt8>
  var at = 0
  private var depth = 0
  /// Whether all bytes are UTF-8, so that no string must be asked; else the place is sought.
  let isUTF8: Bool

  init(bytes: UnsafeBufferPointer<UInt8>) {
    self.bytes = bytes
    isUTF8 = String(validating: bytes, as: UTF8.self) != nil
  }

  mutating func whole() throws(JSONError) -> JSONValue {
    let value = try value()
    skipBlanks()
    guard at == bytes.count else { throw wrong("the end") }
    return value
  }

  private mutating func value() throws(JSONError) -> JSONValue {
    skipBlanks()
    guard let byte = peek else { throw wrong("a value") }
    switch byte {
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "{"): return try object()
    case UInt8(ascii: "["): return try array()
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: throw wrong("a value")
    }
  }

  private mutating func object() throws(JSONError) -> JSONValue {
    try descend()
    defer { depth -= 1 }
    var members: [JSONValue.Member] = []
    if take(UInt8(ascii: "}")) { return .object(members) }
    repeat {
      skipBlanks()
      guard peek == UInt8(ascii: "\"") else { throw wrong("a member's name in quotes") }
      let name = try string()
      guard take(UInt8(ascii: ":")) else { throw wrong("a colon") }
      members.append(JSONValue.Member(name: name, value: try value()))
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "}")) else { throw wrong("a comma or }") }
    return .object(members)
  }

  private mutating func array() throws(JSONError) -> JSONValue {
    try descend()
    defer { depth -= 1 }
    var values: [JSONValue] = []
    if take(UInt8(ascii: "]")) { return .array(values) }
    repeat { values.append(try value()) } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "]")) else { throw wrong("a comma or ]") }
    return .array(values)
  }

  private mutating func descend() throws(JSONError) {
    guard depth < JSONValue.deepest else {
      throw JSONError(byte: at, reason: "values are nested deeper than \(JSONValue.deepest)")
    }
    depth += 1
    at += 1
  }

  private mutating func word(
    _ word: StaticString, _ value: JSONValue
  ) throws(JSONError) -> JSONValue {
    for index in 0..<word.utf8CodeUnitCount {
      guard peek == word.utf8Start[index] else { throw wrong("\(word)") }
      at += 1
    }
    return value
  }

  private mutating func number() throws(JSONError) -> JSONValue {
    let start = at
    if peek == UInt8(ascii: "-") { at += 1 }
    let isZero = peek == UInt8(ascii: "0")
    guard let digits = digits(), !isZero || digits == 1 else {
      throw JSONError(byte: start, reason: "a number begins with a digit, and with 0 only if alone")
    }
    var isWhole = true
    if peek == UInt8(ascii: ".") {
      at += 1
      isWhole = false
      guard self.digits() != nil else { throw wrong("a digit") }
    }
    if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
      at += 1
      isWhole = false
      if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { at += 1 }
      guard self.digits() != nil else { throw wrong("a digit") }
    }
    let text = String(decoding: bytes[start..<at], as: UTF8.self)
    if isWhole, let value = Int(text) { return .integer(value) }
    return .number(Double(text) ?? .nan)  // never nil: the grammar is a part of Double's
  }

  /// Skips digits; nil when there is none.
  private mutating func digits() -> Int? {
    let start = at
    while let byte = peek, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { at += 1 }
    return at == start ? nil : at - start
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    skipBlanks()
    guard peek == byte else { return false }
    at += 1
    return true
  }

  private mutating func skipBlanks() {
    while let byte = peek, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { at += 1 }
  }

  var peek: UInt8? { at < bytes.count ? bytes[at] : nil }

  func wrong(_ expected: String) -> JSONError {
    guard let byte = peek else {
      return JSONError(byte: at, reason: "expected \(expected), got the end")
    }
    let shown =
      byte > 0x20 && byte < 0x7F
      ? String(UnicodeScalar(byte)) : "0x" + String(byte, radix: 16, uppercase: true)
    return JSONError(byte: at, reason: "expected \(expected), got \(shown)")
  }
}
