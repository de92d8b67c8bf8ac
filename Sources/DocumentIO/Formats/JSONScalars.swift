extension JSONScanner {
  /// Reads a string; true when it has escapes.
  mutating func string(_ bytes: Span<UInt8>) throws(JSONFault) -> Bool {
    let start = at
    var isEscaped = false
    at += 1
    while at < bytes.count {
      let byte = bytes[at]
      if byte == UInt8(ascii: "\"") {
        at += 1
        return isEscaped
      }
      if byte == UInt8(ascii: "\\") {
        isEscaped = true
        try escape(bytes)
      } else if byte < 0x20 {
        throw JSONFault(
          byte: at, reason: "control character \(hex(byte)) stands unescaped in a string")
      } else {
        at += 1
      }
    }
    throw JSONFault(byte: start, reason: "a string does not end", isTooShort: true)
  }

  private mutating func escape(_ bytes: Span<UInt8>) throws(JSONFault) {
    let start = at
    at += 1
    guard at < bytes.count else { throw fault(bytes, "an escape") }
    switch bytes[at] {
    case UInt8(ascii: "u"):
      let unit = try codeUnit(bytes)
      guard 0xD800..<0xE000 ~= unit else { return }
      try lowSurrogate(bytes, after: unit, start)
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
      UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      at += 1
    default: throw JSONFault(byte: start, reason: "a backslash stands before what is no escape")
    }
  }

  private mutating func lowSurrogate(
    _ bytes: Span<UInt8>, after unit: UInt32, _ start: Int
  ) throws(JSONFault) {
    let lone = JSONFault(
      byte: start, reason: "\\u\(String(unit, radix: 16)) is half of a surrogate pair")
    guard unit < 0xDC00 else { throw lone }
    guard at + 1 < bytes.count else {
      if at < bytes.count, bytes[at] != UInt8(ascii: "\\") { throw lone }
      throw fault(bytes, "the other half of a surrogate pair")
    }
    guard bytes[at] == UInt8(ascii: "\\"), bytes[at + 1] == UInt8(ascii: "u") else { throw lone }
    at += 1
    guard 0xDC00..<0xE000 ~= (try codeUnit(bytes)) else { throw lone }
  }

  /// The four digits after a `u`.
  private mutating func codeUnit(_ bytes: Span<UInt8>) throws(JSONFault) -> UInt32 {
    at += 1
    var unit: UInt32 = 0
    for _ in 0..<4 {
      guard at < bytes.count, let digit = hexDigit(bytes[at]) else {
        throw fault(bytes, "four hexadecimal digits after \\u")
      }
      unit = unit << 4 | digit
      at += 1
    }
    return unit
  }

  mutating func scalar(_ bytes: Span<UInt8>) throws(JSONFault) {
    switch peek(bytes) {
    case UInt8(ascii: "t"): try word("true", bytes)
    case UInt8(ascii: "f"): try word("false", bytes)
    case UInt8(ascii: "n"): try word("null", bytes)
    case let byte? where byte == UInt8(ascii: "-") || isDigit(byte): try number(bytes)
    default: throw fault(bytes, "a value")
    }
  }

  private mutating func word(_ word: StaticString, _ bytes: Span<UInt8>) throws(JSONFault) {
    let start = at
    for index in 0..<word.utf8CodeUnitCount {
      guard at < bytes.count else { throw fault(bytes, "a value") }
      guard bytes[at] == word.utf8Start[index] else {
        at = start
        throw fault(bytes, "a value")
      }
      at += 1
    }
  }

  private mutating func number(_ bytes: Span<UInt8>) throws(JSONFault) {
    _ = take(UInt8(ascii: "-"), bytes)
    if !take(UInt8(ascii: "0"), bytes) { try digits(bytes) }
    if take(UInt8(ascii: "."), bytes) { try digits(bytes) }
    if take(UInt8(ascii: "e"), bytes) || take(UInt8(ascii: "E"), bytes) {
      if !take(UInt8(ascii: "+"), bytes) { _ = take(UInt8(ascii: "-"), bytes) }
      try digits(bytes)
    }
  }

  private mutating func digits(_ bytes: Span<UInt8>) throws(JSONFault) {
    let first = at
    while at < bytes.count, isDigit(bytes[at]) { at += 1 }
    guard at == first else { return }
    throw fault(bytes, "a digit")
  }
}

private func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }

/// The value of a hexadecimal digit.
func hexDigit(_ byte: UInt8) -> UInt32? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
  case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
  case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
  default: nil
  }
}

/// A byte as `0x1b`.
func hex(_ byte: UInt8) -> String { "0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16) }
