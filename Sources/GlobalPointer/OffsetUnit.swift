/// What offsets in a file count. Inside the program they are UTF-8 bytes.
public enum OffsetUnit: String, Sendable, CaseIterable, Codable {
  /// Bytes of UTF-8: Swift's `utf8`, Rust, Go.
  case utf8
  /// Unicode scalars: Python.
  case codepoint
  /// Code units of UTF-16: Java, JavaScript, C#.
  case utf16
}

/// Converts offsets of one text, given in any order, by one walk over the text.
public struct OffsetConverter {
  /// For each byte the units before the scalar that begins there, for bytes within a scalar those
  /// before the next one; and those of the whole text.
  private let before: [Int32]
  /// Whether a unit is a byte.
  private let isIdentity: Bool

  /// A converter of offsets into `text`.
  public init(_ text: String, _ unit: OffsetUnit) {
    isIdentity = unit == .utf8
    guard !isIdentity else {
      before = []
      return
    }
    var table: [Int32] = []
    table.reserveCapacity(text.utf8.count + 1)
    var units: Int32 = 0
    for byte in text.utf8 {
      table.append(units)
      // The last byte of a scalar is followed by a lead byte; counting at lead bytes of what
      // ends here needs only the lead's class.
      if byte & 0xC0 != 0x80 { units += unit == .utf16 && byte >= 0xF0 ? 2 : 1 }
    }
    table.append(units)
    before = table
  }

  /// The offset in the unit, of a byte offset at a scalar's first byte or at the end.
  public func callAsFunction(_ byte: Int) -> Int { isIdentity ? byte : Int(before[byte]) }

  /// The byte offset of an offset in the unit; nil when no scalar begins there.
  public func byte(at offset: Int) -> Int? {
    if isIdentity { return offset }
    var (low, high) = (0, before.count)
    // The last byte with so many units before it: the others are within the scalar before.
    while low < high {
      let middle = (low + high) / 2
      if Int(before[middle]) <= offset { low = middle + 1 } else { high = middle }
    }
    return low > 0 && Int(before[low - 1]) == offset ? low - 1 : nil
  }
}
