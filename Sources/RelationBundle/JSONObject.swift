internal import Foundation

/// A JSON object of a bundle's file, its values told apart as JSON tells them apart: `true` is no 1.
package struct JSONObject {
  /// The file, for errors.
  package let path: String
  /// The values; of a key that comes twice the last one counts.
  package let fields: [String: Any]

  /// Reads UTF-8, with or without a byte order mark.
  ///
  /// - Throws: `BundleError` naming the encoding where it is another one, or the place of the
  ///   mistake.
  package init(_ bytes: some Collection<UInt8>, path: String, what: String) throws(BundleError) {
    if let encoding = Self.wideEncoding(bytes) {
      throw BundleError(
        path, "\(what) is \(encoding), expected UTF-8; convert it: iconv -f \(encoding) -t UTF-8")
    }
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw BundleError(path, "\(what) is not UTF-8; write it as UTF-8")
    }
    let value: Any
    do {
      value = try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
    } catch {
      let detail = (error as NSError).userInfo["NSDebugDescription"] as? String
      throw BundleError(path, "\(what) is not JSON: \(detail ?? error.localizedDescription)")
    }
    guard let object = value as? [String: Any] else {
      throw BundleError(path, "\(what) is not a JSON object: \(Self.excerpt(value))")
    }
    (self.path, fields) = (path, object)
  }

  /// UTF-16 or UTF-32, which JSON shows by its mark or by zeros beside its first character.
  private static func wideEncoding(_ bytes: some Collection<UInt8>) -> String? {
    switch Array(bytes.prefix(4)) {
    case [0xFF, 0xFE, 0, 0], [0, 0, 0xFE, 0xFF]: "UTF-32"
    case let first where [[0xFF, 0xFE], [0xFE, 0xFF]].contains(Array(first.prefix(2))): "UTF-16"
    case let first where first.count == 4 && first.prefix(3).elementsEqual([0, 0, 0]): "UTF-32BE"
    case let first where first.count == 4 && first.suffix(3).elementsEqual([0, 0, 0]): "UTF-32LE"
    case let first where first.count == 4 && first[0] == 0 && first[2] == 0: "UTF-16BE"
    case let first where first.count == 4 && first[1] == 0 && first[3] == 0: "UTF-16LE"
    default: nil
    }
  }

  /// A value in an error message, cut where it is long.
  package static func excerpt(_ value: Any?) -> String {
    guard let value else { return "missing" }
    let text = isBoolean(value) ? ((value as? Bool) == true ? "true" : "false") : "\(value)"
    return text.count > 80 ? "\(text.prefix(80))…" : text
  }

  /// A number without a fraction.
  package static func integer(_ value: Any?) -> Int? {
    guard let value, !isBoolean(value) else { return nil }
    return value as? Int
  }

  /// Any number.
  package static func number(_ value: Any?) -> Float? {
    guard let value, !isBoolean(value) else { return nil }
    return (value as? NSNumber)?.floatValue
  }

  /// `true` or `false`, and no number.
  package static func boolean(_ value: Any?) -> Bool? {
    guard let value, isBoolean(value) else { return nil }
    return value as? Bool
  }

  /// An array of numbers without fractions.
  package static func integers(_ value: Any?) -> [Int]? {
    guard let values = value as? [Any] else { return nil }
    let numbers = values.compactMap(integer)
    return numbers.count == values.count ? numbers : nil
  }

  /// Foundation gives both as NSNumber, booleans with the C type char.
  private static func isBoolean(_ value: Any) -> Bool {
    guard let number = value as? NSNumber else { return false }
    return number.objCType[0] == CChar(UInt8(ascii: "c"))
  }
}
