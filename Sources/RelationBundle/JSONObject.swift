package import Texts

/// A JSON object of a bundle's file.
package struct JSONObject {
  /// The file, for errors.
  package let path: String
  /// The values; of a key that comes twice the last one counts.
  package let fields: [String: JSONValue]

  /// Reads UTF-8, with or without a byte order mark; `what` it is of the file is for errors.
  ///
  /// - Throws: `BundleError` naming the encoding where it is another one, or the place of the
  ///   mistake.
  package init(_ bytes: [UInt8], path: String, what: String) throws(BundleError) {
    if let encoding = Self.wideEncoding(Array(bytes.prefix(4))) {
      throw BundleError(
        path, "\(what) is \(encoding), expected UTF-8; convert it: iconv -f \(encoding) -t UTF-8")
    }
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    let value: JSONValue
    do throws(JSONError) {
      value = try JSONValue(bytes.starts(with: mark) ? Array(bytes.dropFirst(3)) : bytes)
    } catch {
      throw BundleError(path, "\(what) is not JSON: \(error)")
    }
    guard let members = value.members else {
      throw BundleError(path, "\(what) is \(value.kind), expected a JSON object")
    }
    self.path = path
    fields = Dictionary(members.map { ($0.name, $0.value) }) { $1 }
  }

  /// UTF-16 or UTF-32, which JSON shows by its mark or by zeros beside its first character.
  private static func wideEncoding(_ first: [UInt8]) -> String? {
    if [[0xFF, 0xFE, 0, 0], [0, 0, 0xFE, 0xFF]].contains(first) { return "UTF-32" }
    if first.starts(with: [0xFF, 0xFE]) || first.starts(with: [0xFE, 0xFF]) { return "UTF-16" }
    return switch first.map({ $0 == 0 }) {
    case [true, true, true, false]: "UTF-32BE"
    case [false, true, true, true]: "UTF-32LE"
    case [true, false, true, false]: "UTF-16BE"
    case [false, true, false, true]: "UTF-16LE"
    default: nil
    }
  }
}

extension JSONValue {
  /// The number, where it is written without fraction and exponent; `true` is none.
  package var integer: Int? { if case .integer(let value) = self { value } else { nil } }

  /// The truth value; 1 is none.
  package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }

  /// The elements, when all of them are integers.
  package var integers: [Int]? {
    guard let array else { return nil }
    let values = array.compactMap(\.integer)
    return values.count == array.count ? values : nil
  }

  /// The value in an error message, cut where it is long.
  package var excerpt: String {
    let text =
      switch self {
      case .bool(let value): "\(value)"
      case .integer(let value): "\(value)"
      case .number(let value): "\(value)"
      case .string(let value): "\"\(value)\""
      case .null, .array, .object: kind
      }
    return text.cut
  }
}

extension String {
  /// At most eighty characters of it, for error messages.
  package var cut: String { count > 80 ? "\(prefix(80))…" : self }
}
