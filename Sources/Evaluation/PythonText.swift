/// What the data sets' scorers, which are Python, do to texts.
extension String {
  /// Python's `str.lower()`: each code point's full mapping, and a sigma that ends a word as ς.
  func lowercasedAsInPython() -> String {
    guard utf8.contains(where: Self.mayHaveCase) else { return self }
    let scalars = Array(unicodeScalars)
    var lower = ""
    lower.reserveCapacity(utf8.count)
    for (place, scalar) in scalars.enumerated() {
      if scalar == "\u{3A3}" {
        lower += Self.endsWord(place, in: scalars) ? "\u{3C2}" : "\u{3C3}"
      } else {
        lower += scalar.properties.lowercaseMapping
      }
    }
    return lower
  }

  /// Whether a byte is a capital of ASCII, or begins a code point of a block with capitals; not so
  /// for ideographs and kana, of which most mentions are made.
  private static func mayHaveCase(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case 0xC3...0xDF, 0xE1, 0xE2, 0xEA, 0xEF...: true
    default: false
    }
  }

  /// Unicode's condition Final_Sigma: a letter before and none after, over what has no case.
  private static func endsWord(_ place: Int, in scalars: [Unicode.Scalar]) -> Bool {
    func isLetter(_ scalars: some Sequence<Unicode.Scalar>) -> Bool {
      scalars.first { !$0.properties.isCaseIgnorable }?.properties.isCased ?? false
    }
    return isLetter(scalars[..<place].reversed()) && !isLetter(scalars[(place + 1)...])
  }

  /// Python's `str.strip()`; other than Foundation's white space it has U+001C...U+001F and lacks
  /// U+200B.
  func strippedAsInPython() -> String {
    let scalars = unicodeScalars
    guard let first = scalars.firstIndex(where: { !Self.isSpace($0) }),
      let last = scalars.lastIndex(where: { !Self.isSpace($0) })
    else { return "" }
    return String(scalars[first...last])
  }

  private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
  }

  /// Without one pair of 《》 around it.
  func withoutBookMarks() -> String {
    let (open, close) = ("《".utf8, "》".utf8)
    guard utf8.count >= open.count + close.count, utf8.starts(with: open),
      utf8.suffix(close.count).elementsEqual(close)
    else { return self }
    return String(Substring(utf8.dropFirst(open.count).dropLast(close.count)))
  }
}
