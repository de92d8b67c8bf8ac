internal import Foundation

/// The members of one JSON object as raw source text, so that what is carried through stays as
/// it was written: key order, number spelling, escapes.
struct JSONFields {
  /// Name and raw value of each member, in order.
  let members: [CarriedField]

  /// Splits an object that `JSONSerialization` has accepted; nil when it is not an object.
  init?(valid bytes: [UInt8]) {
    guard (try? JSONSerialization.jsonObject(with: Data(bytes))) is [String: Any] else {
      return nil
    }
    var scanner = Scanner(bytes: bytes)
    members = scanner.members()
  }

  /// The decoded text of a raw JSON string value; nil when the value is not a string.
  static func string(_ json: String) -> String? {
    let options: JSONSerialization.ReadingOptions = [.fragmentsAllowed]
    return try? JSONSerialization.jsonObject(with: Data(json.utf8), options: options) as? String
  }

  /// Walks one object known to be valid JSON.
  private struct Scanner {
    let bytes: [UInt8]
    var at = 0

    mutating func members() -> [CarriedField] {
      var found: [CarriedField] = []
      skip { $0 != UInt8(ascii: "{") }
      at += 1
      while true {
        skip { Self.blank($0) || $0 == UInt8(ascii: ",") }
        guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else { return found }
        let name = value()
        skip { Self.blank($0) || $0 == UInt8(ascii: ":") }
        found.append(CarriedField(name: JSONFields.string(name) ?? name, json: value()))
      }
    }

    private static func blank(_ byte: UInt8) -> Bool {
      byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }

    private mutating func skip(while condition: (UInt8) -> Bool) {
      while at < bytes.count, condition(bytes[at]) { at += 1 }
    }

    /// The raw text of the value at `at`, nested ones whole.
    private mutating func value() -> String {
      let start = at
      var depth = 0
      repeat {
        switch bytes[at] {
        case UInt8(ascii: "\""): string()
        case UInt8(ascii: "{"), UInt8(ascii: "["):
          depth += 1
          at += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
          depth -= 1
          at += 1
        default: at += 1
        }
      } while at < bytes.count && (depth > 0 || !endsScalar(from: start))
      return String(decoding: bytes[start..<at], as: UTF8.self)
    }

    private func endsScalar(from start: Int) -> Bool {
      let first = bytes[start]
      if [UInt8(ascii: "\""), UInt8(ascii: "{"), UInt8(ascii: "[")].contains(first) { return true }
      let next = bytes[at]
      return Self.blank(next) || next == UInt8(ascii: ",") || next == UInt8(ascii: "}")
    }

    private mutating func string() {
      at += 1
      while bytes[at] != UInt8(ascii: "\"") { at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1 }
      at += 1
    }
  }
}

/// Appends text as a JSON string.
public func appendJSON(_ text: String, to out: inout [UInt8]) {
  out.append(UInt8(ascii: "\""))
  for byte in text.utf8 {
    switch byte {
    case UInt8(ascii: "\""): out.append(contentsOf: #"\""#.utf8)
    case UInt8(ascii: "\\"): out.append(contentsOf: #"\\"#.utf8)
    case 0x0A: out.append(contentsOf: #"\n"#.utf8)
    case 0x0D: out.append(contentsOf: #"\r"#.utf8)
    case 0x09: out.append(contentsOf: #"\t"#.utf8)
    case 0..<0x20:
      let digits = Array("0123456789abcdef".utf8)
      out.append(contentsOf: #"\u00"#.utf8)
      out.append(digits[Int(byte >> 4)])
      out.append(digits[Int(byte & 15)])
    default: out.append(byte)
    }
  }
  out.append(UInt8(ascii: "\""))
}
