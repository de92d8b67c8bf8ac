/// What offsets in the output count. Inside the program they are UTF-8 bytes.
public enum OffsetUnit: String, Sendable, CaseIterable {
  /// Bytes of UTF-8: Swift's `utf8`, Rust, Go.
  case utf8
  /// Unicode scalars: Python.
  case codepoint
  /// Code units of UTF-16: Java, JavaScript, C#.
  case utf16
}

/// Converts byte offsets of one text, given in any order, by one walk over the text.
public struct OffsetConverter {
  private let unit: OffsetUnit
  /// For each byte that begins a scalar, the units before it; empty for utf8 and for ASCII.
  private let before: [Int32]

  /// A converter of offsets into `text`.
  public init(_ text: String, _ unit: OffsetUnit) {
    self.unit = unit
    guard unit != .utf8 else {
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
  public func callAsFunction(_ byte: Int) -> Int { unit == .utf8 ? byte : Int(before[byte]) }
}
