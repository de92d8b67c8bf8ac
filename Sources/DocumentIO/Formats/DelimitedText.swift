/// A field's bytes as they stand between quotes, with doubled quotes made single.
func undoubled(_ bytes: Span<UInt8>) -> [UInt8] {
  var plain: [UInt8] = []
  plain.reserveCapacity(bytes.count)
  var at = 0
  while at < bytes.count {
    plain.append(bytes[at])
    at += bytes[at] == UInt8(ascii: "\"") ? 2 : 1
  }
  return plain
}

/// Appends a field of comma-separated text, quoted where RFC 4180 asks for it.
func appendCSV(_ field: String, to out: inout [UInt8]) {
  let quote = UInt8(ascii: "\"")
  let special = field.utf8.contains {
    $0 == UInt8(ascii: ",") || $0 == quote || $0 == 0x0A || $0 == 0x0D
  }
  guard special else {
    out.append(contentsOf: field.utf8)
    return
  }
  out.append(quote)
  for byte in field.utf8 {
    if byte == quote { out.append(byte) }
    out.append(byte)
  }
  out.append(quote)
}

/// Appends a field of tab-separated text, which has no quotes: a tab, line feed, carriage return
/// or backslash within becomes `\t`, `\n`, `\r` or `\\`.
func appendTSV(_ field: String, to out: inout [UInt8]) {
  for byte in field.utf8 {
    switch byte {
    case 0x09: out.append(contentsOf: #"\t"#.utf8)
    case 0x0A: out.append(contentsOf: #"\n"#.utf8)
    case 0x0D: out.append(contentsOf: #"\r"#.utf8)
    case UInt8(ascii: "\\"): out.append(contentsOf: #"\\"#.utf8)
    default: out.append(byte)
    }
  }
}
