extension JSONReader {
  /// The string whose opening quote is next.
  mutating func string() throws(JSONError) -> String {
    at += 1
    let start = at
    while let byte = peek, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
      at += 1
    }
    if peek == UInt8(ascii: "\"") {
      let text = try text(UnsafeBufferPointer(rebasing: bytes[start..<at]), at: start)
      at += 1
      return text
    }
    return try escaped(from: start)
  }

  /// The rest of a string that has an escape, or something that may not be in one.
  private mutating func escaped(from start: Int) throws(JSONError) -> String {
    var content = Array(bytes[start..<at])
    while let byte = peek {
      switch byte {
      case UInt8(ascii: "\""):
        let result = content.withUnsafeBufferPointer { content in
          Result { () throws(JSONError) in try text(content, at: start) }
        }
        at += 1
        return try result.get()
      case UInt8(ascii: "\\"): try escape(into: &content)
      case 0..<0x20: throw wrong("no control character within a string")
      default:
        content.append(byte)
        at += 1
      }
    }
    throw wrong("a closing quote")
  }

  private func text(
    _ content: UnsafeBufferPointer<UInt8>, at start: Int
  ) throws(JSONError) -> String {
    if isUTF8 { return String(decoding: content, as: UTF8.self) }
    guard let text = String(validating: content, as: UTF8.self) else {
      throw JSONError(byte: start, reason: "the string is not valid UTF-8")
    }
    return text
  }

  private mutating func escape(into content: inout [UInt8]) throws(JSONError) {
    let start = at
    at += 1
    guard let letter = peek else { throw wrong("an escape") }
    at += 1
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(letter)
    case UInt8(ascii: "b"): content.append(0x08)
    case UInt8(ascii: "f"): content.append(0x0C)
    case UInt8(ascii: "n"): content.append(0x0A)
    case UInt8(ascii: "r"): content.append(0x0D)
    case UInt8(ascii: "t"): content.append(0x09)
    case UInt8(ascii: "u"):
      let scalar = try scalar(from: start)
      content.append(contentsOf: UTF8.encode(scalar)!)  // every scalar has a form in UTF-8
    default: throw JSONError(byte: start, reason: "there is no such escape")
    }
  }

  /// The scalar of one `\u` escape, or of two that are a surrogate pair.
  private mutating func scalar(from start: Int) throws(JSONError) -> Unicode.Scalar {
    let first = try unit()
    if let scalar = Unicode.Scalar(first) { return scalar }
    if first < 0xDC00, peek == UInt8(ascii: "\\"), at + 1 < bytes.count,
      bytes[at + 1] == UInt8(ascii: "u")
    {
      at += 2
      let second = try unit()
      let value = 0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) & 0x3FF)
      if second & 0xFC00 == 0xDC00, let scalar = Unicode.Scalar(value) { return scalar }
    }
    throw JSONError(byte: start, reason: "the escape is half of a surrogate pair")
  }

  private mutating func unit() throws(JSONError) -> UInt16 {
    var value: UInt16 = 0
    for _ in 0..<4 {
      guard let byte = peek, let digit = Character(UnicodeScalar(byte)).hexDigitValue else {
        throw wrong("four hexadecimal digits")
      }
      value = value << 4 | UInt16(digit)
      at += 1
    }
    return value
  }
}
