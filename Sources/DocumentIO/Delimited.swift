/// Records of comma- or tab-separated text by RFC 4180: quoted fields, doubled quotes, line
/// feeds within quotes.
struct DelimitedParser {
  let delimiter: UInt8

  /// Whether the bytes end inside a quoted field, so that the record goes on in the next line.
  func isOpen(_ bytes: [UInt8]) -> Bool {
    bytes.reduce(false) { $1 == UInt8(ascii: "\"") ? !$0 : $0 }
  }

  /// The fields of one whole record; nil when a quote stands where none may.
  func fields(_ bytes: [UInt8]) -> [[UInt8]]? {
    var fields: [[UInt8]] = []
    var at = 0
    let end = bytes.last == 0x0D ? bytes.count - 1 : bytes.count
    while true {
      guard let (field, next) = field(bytes, at, end) else { return nil }
      fields.append(field)
      if next == end { return fields }
      at = next + 1
    }
  }

  private func field(_ bytes: [UInt8], _ start: Int, _ end: Int) -> ([UInt8], Int)? {
    guard start < end, bytes[start] == UInt8(ascii: "\"") else {
      let stop = bytes[start..<end].firstIndex(of: delimiter) ?? end
      return (Array(bytes[start..<stop]), stop)
    }
    var field: [UInt8] = []
    var at = start + 1
    while at < end {
      if bytes[at] != UInt8(ascii: "\"") {
        field.append(bytes[at])
        at += 1
      } else if at + 1 < end, bytes[at + 1] == UInt8(ascii: "\"") {
        field.append(bytes[at])
        at += 2
      } else {
        at += 1
        return at == end || bytes[at] == delimiter ? (field, at) : nil
      }
    }
    return nil
  }
}

/// Appends a field, quoted where RFC 4180 asks for it.
func appendDelimited(_ field: String, _ delimiter: UInt8, to out: inout [UInt8]) {
  let special = field.utf8.contains {
    $0 == delimiter || $0 == UInt8(ascii: "\"") || $0 == 0x0A || $0 == 0x0D
  }
  guard special else {
    out.append(contentsOf: field.utf8)
    return
  }
  out.append(UInt8(ascii: "\""))
  for byte in field.utf8 {
    if byte == UInt8(ascii: "\"") { out.append(byte) }
    out.append(byte)
  }
  out.append(UInt8(ascii: "\""))
}
