/// An encoding other than UTF-8 that the beginning of a file shows; nil where it shows none.
func strangeEncoding(_ bytes: ArraySlice<UInt8>, isWhole: Bool) -> Stranger? {
  func stranger(_ kind: String, _ name: String) -> Stranger {
    Stranger(kind: "\(kind) text, not UTF-8", filter: "iconv -f \(name) -t UTF-8")
  }
  // The marks of UTF-32 begin as those of UTF-16 do.
  if bytes.starts(with: [0xFF, 0xFE, 0, 0]) || bytes.starts(with: [0, 0, 0xFE, 0xFF]) {
    return stranger("UTF-32", "UTF-32")
  }
  if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
    return stranger("UTF-16", "UTF-16")
  }
  if bytes.contains(0) {
    for (kind, name, order) in wideEncodings where order.fits(bytes) { return stranger(kind, name) }
    return nil
  }
  return isGBK(bytes, isWhole: isWhole) ? stranger("GBK (GB 18030)", "GB18030") : nil
}

private let wideEncodings: [(String, String, WideOrder)] = [
  ("UTF-32 (little-endian)", "UTF-32LE", WideOrder(places: [3, 2, 1, 0])),
  ("UTF-32 (big-endian)", "UTF-32BE", WideOrder(places: [0, 1, 2, 3])),
  ("UTF-16 (little-endian)", "UTF-16LE", WideOrder(places: [1, 0])),
  ("UTF-16 (big-endian)", "UTF-16BE", WideOrder(places: [0, 1])),
]

/// An encoding of units of several bytes.
private struct WideOrder {
  /// Where in a unit its bytes lie, the highest first.
  var places: [Int]

  /// Whether nearly all units are characters that Chinese text is made of. Text in UTF-8 that has
  /// a few zeros in it gives units from all over Unicode.
  func fits(_ bytes: ArraySlice<UInt8>) -> Bool {
    let units = bytes.count / places.count
    guard units > 0 else { return false }
    var (usual, ends) = (0, 0)
    for unit in 0..<units {
      let start = bytes.startIndex + unit * places.count
      let value = places.reduce(UInt32(0)) { $0 << 8 | UInt32(bytes[start + $1]) }
      if Self.isUsual(value) { usual += 1 }
      if value == 0x0A { ends += 1 }
    }
    // A single byte 0x0A among units is the line end of text that is no UTF-16.
    let lineFeeds = bytes.count { $0 == 0x0A }
    return usual * 10 >= units * 9 && (lineFeeds == 0 || ends > 0 || usual == units)
  }

  private static func isUsual(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x09, 0x0A, 0x0D, 0x20..<0x7F, 0xA0..<0x100, 0x2010..<0x2040, 0x3000..<0x3040,
      0x4E00..<0xA000, 0xFF00..<0xFFF0:
      true
    default: false
    }
  }
}

/// Whether bytes that are no UTF-8 are GBK: all of them valid in it, nearly all characters from
/// the part that GB 2312 has, and hardly a line with others than ASCII valid as UTF-8.
private func isGBK(_ bytes: ArraySlice<UInt8>, isWhole: Bool) -> Bool {
  guard let counts = GBKCounts(bytes, isWhole: isWhole) else { return false }
  guard counts.characters >= 2, counts.usual * 10 >= counts.characters * 9 else { return false }
  let lines = bytes.split(separator: 0x0A)
  // The last may be cut within a character.
  let whole = isWhole || lines.count == 1 ? lines[...] : lines.dropLast()
  let others = whole.filter { line in line.contains { $0 >= 0x80 } }
  let valid = others.count { String(validating: $0, as: UTF8.self) != nil }
  return !others.isEmpty && valid * 10 < others.count
}

private struct GBKCounts {
  /// Characters of two or four bytes.
  var characters = 0
  /// Those of GB 2312.
  var usual = 0

  /// Nil where the bytes are no GB 18030.
  init?(_ bytes: ArraySlice<UInt8>, isWhole: Bool) {
    var at = bytes.startIndex
    func byte(_ place: Int) -> UInt8? { place < bytes.endIndex ? bytes[place] : nil }
    while let first = byte(at) {
      if first < 0x80 {
        at += 1
        continue
      }
      guard 0x81...0xFE ~= first else { return nil }
      guard let second = byte(at + 1) else {
        if isWhole { return nil }
        break
      }
      characters += 1
      switch second {
      case 0x40...0x7E, 0x80...0xFE:
        if 0xA1...0xF7 ~= first, second >= 0xA1 { usual += 1 }
        at += 2
      case 0x30...0x39:
        guard let third = byte(at + 2), let fourth = byte(at + 3) else {
          if isWhole { return nil }
          return
        }
        guard 0x81...0xFE ~= third, 0x30...0x39 ~= fourth else { return nil }
        at += 4
      default: return nil
      }
    }
  }
}
