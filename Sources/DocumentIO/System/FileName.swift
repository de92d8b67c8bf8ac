/// The name of a file as the system has it: bytes, which need not be UTF-8.
public struct FileName: Sendable, Hashable, Comparable {
  /// Its bytes, none of which is 0.
  public let bytes: [UInt8]

  /// A name by its bytes; what follows a 0, which no name can have, is cut.
  public init(bytes: some Sequence<UInt8>) { self.bytes = Array(bytes.prefix { $0 != 0 }) }

  /// A name that is text.
  public init(_ text: String) { self.init(bytes: text.utf8) }

  /// The name in records and messages: itself where it is UTF-8, else with `\xNN` for each byte
  /// that belongs to no character.
  public var text: String {
    if let text = String(validating: bytes, as: UTF8.self) { return text }
    var shown = ""
    var rest = bytes[...]
    while let first = rest.first {
      let width = Self.scalarWidth(rest)
      if width > 0 {
        shown += String(decoding: rest.prefix(width), as: UTF8.self)
      } else {
        shown += "\\x" + (first < 16 ? "0" : "") + String(first, radix: 16)
      }
      rest = rest.dropFirst(max(width, 1))
    }
    return shown
  }

  /// How many bytes the character at the front has; 0 where it is none.
  private static func scalarWidth(_ bytes: ArraySlice<UInt8>) -> Int {
    (1...4).first { width in
      bytes.count >= width && String(validating: bytes.prefix(width), as: UTF8.self) != nil
    } ?? 0
  }

  /// The last component.
  public var lastComponent: FileName {
    FileName(bytes: bytes[(bytes.lastIndex(of: Self.slash).map { $0 + 1 } ?? 0)...])
  }

  /// The directory that holds it, `.` where the name has none.
  package var directory: FileName {
    guard let slash = bytes.lastIndex(of: Self.slash) else { return FileName(".") }
    return slash == 0 ? FileName("/") : FileName(bytes: bytes[..<slash])
  }

  /// This name as a directory with `name` in it; an absolute `name` stands for itself.
  package func appending(_ name: FileName) -> FileName {
    if name.bytes.first == Self.slash || bytes.isEmpty { return name }
    let separator = bytes.last == Self.slash ? [] : [Self.slash]
    return FileName(bytes: bytes + separator + name.bytes)
  }

  /// The same name with more at its end.
  package func extended(_ ending: String) -> FileName { FileName(bytes: bytes + Array(ending.utf8)) }

  /// Calls `body` with the bytes as C wants them.
  func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
    let terminated = bytes.map { CChar(bitPattern: $0) } + [0]
    return terminated.withUnsafeBufferPointer { body($0.baseAddress!) }  // it has the final 0
  }

  /// Order by bytes.
  public static func < (left: FileName, right: FileName) -> Bool {
    left.bytes.lexicographicallyPrecedes(right.bytes)
  }

  static let slash = UInt8(ascii: "/")
}

/// Text with what steers a terminal shown instead of done: `\n`, `\r`, `\t`, and `\u001b` for the
/// other control characters and for those that turn the direction of writing.
public func terminalText(
  _ text: String, keeping isKept: (Unicode.Scalar) -> Bool = { _ in false }
) -> String {
  guard text.unicodeScalars.contains(where: { steers($0) && !isKept($0) }) else { return text }
  var shown = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case _ where isKept(scalar): shown.unicodeScalars.append(scalar)
    case "\n": shown += "\\n"
    case "\r": shown += "\\r"
    case "\t": shown += "\\t"
    case _ where steers(scalar):
      let digits = String(scalar.value, radix: 16)
      shown += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: shown.unicodeScalars.append(scalar)
    }
  }
  return shown
}

private func steers(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.value {
  case 0..<0x20, 0x7F..<0xA0, 0x061C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069: true
  default: false
  }
}

/// A name as a shell takes it.
func shellWord(_ name: FileName) -> String {
  let safe = name.bytes.allSatisfy {
    switch $0 {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."),
      UInt8(ascii: "_"), UInt8(ascii: "-"), 0x80...:
      true
    default: false
    }
  }
  return safe ? name.text : "'" + name.text.replacing("'", with: #"'\''"#) + "'"
}
