/// The text of a JSON string that `JSONScanner` has accepted, quotes included in `raw`.
///
/// Every character is kept, also U+FEFF at the beginning.
func jsonString(_ raw: Span<UInt8>, isEscaped: Bool) -> String {
  let inner = raw.extracting(1..<raw.count - 1)
  guard isEscaped else { return text(inner) }
  var plain: [UInt8] = []
  plain.reserveCapacity(inner.count)
  var at = 0
  while at < inner.count {
    if inner[at] == UInt8(ascii: "\\") {
      at = appendEscape(inner, at + 1, to: &plain)
    } else {
      plain.append(inner[at])
      at += 1
    }
  }
  return String(decoding: plain, as: UTF8.self)
}

/// Bytes that are known to be UTF-8 as text.
func text(_ bytes: Span<UInt8>) -> String {
  bytes.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
}

/// Whether a JSON string has escapes.
func isEscaped(_ raw: Span<UInt8>) -> Bool {
  for index in raw.indices where raw[index] == UInt8(ascii: "\\") { return true }
  return false
}

/// Appends what the escape means whose letter stands at `at`; gives the place after it.
private func appendEscape(_ bytes: Span<UInt8>, _ at: Int, to out: inout [UInt8]) -> Int {
  switch bytes[at] {
  case UInt8(ascii: "u"):
    let unit = codeUnit(bytes, at + 1)
    var (scalar, next) = (unit, at + 5)
    if 0xD800..<0xDC00 ~= unit {
      scalar = 0x10000 + ((unit - 0xD800) << 10) + (codeUnit(bytes, at + 7) - 0xDC00)
      next = at + 11
    }
    // The scanner has refused what is no scalar.
    out.append(contentsOf: UTF8.encode(Unicode.Scalar(scalar)!)!)
    return next
  case UInt8(ascii: "b"): out.append(0x08)
  case UInt8(ascii: "f"): out.append(0x0C)
  case UInt8(ascii: "n"): out.append(0x0A)
  case UInt8(ascii: "r"): out.append(0x0D)
  case UInt8(ascii: "t"): out.append(0x09)
  case let byte: out.append(byte)
  }
  return at + 1
}

private func codeUnit(_ bytes: Span<UInt8>, _ at: Int) -> UInt32 {
  (at..<at + 4).reduce(0) { $0 << 4 | (hexDigit(bytes[$1]) ?? 0) }
}
