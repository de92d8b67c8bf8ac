/// Appends text as a JSON string.
public func appendJSON(_ text: String, to out: inout [UInt8]) {
  var text = text
  text.withUTF8 { appendJSON($0.span, to: &out) }
}

/// Appends bytes of UTF-8 as a JSON string.
func appendJSON(_ bytes: Span<UInt8>, to out: inout [UInt8]) {
  out.append(UInt8(ascii: "\""))
  var plain = 0
  for index in bytes.indices where mustEscape(bytes[index]) {
    append(bytes.extracting(plain..<index), to: &out)
    appendEscaped(bytes[index], to: &out)
    plain = index + 1
  }
  append(bytes.extracting(plain..<bytes.count), to: &out)
  out.append(UInt8(ascii: "\""))
}

/// Appends bytes as they are.
func append(_ bytes: Span<UInt8>, to out: inout [UInt8]) {
  bytes.withUnsafeBufferPointer { out.append(contentsOf: $0) }
}

private func mustEscape(_ byte: UInt8) -> Bool {
  byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
}

private func appendEscaped(_ byte: UInt8, to out: inout [UInt8]) {
  switch byte {
  case UInt8(ascii: "\""): out.append(contentsOf: #"\""#.utf8)
  case UInt8(ascii: "\\"): out.append(contentsOf: #"\\"#.utf8)
  case 0x0A: out.append(contentsOf: #"\n"#.utf8)
  case 0x0D: out.append(contentsOf: #"\r"#.utf8)
  case 0x09: out.append(contentsOf: #"\t"#.utf8)
  default:
    let digits = Array("0123456789abcdef".utf8)
    out.append(contentsOf: #"\u00"#.utf8)
    out.append(digits[Int(byte >> 4)])
    out.append(digits[Int(byte & 15)])
  }
}
