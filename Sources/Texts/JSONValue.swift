/// A JSON value (RFC 8259) as it was written: strings keep every code point, a U+FEFF at their
/// start too, and objects every member in order.
public enum JSONValue: Sendable {
  /// `null`.
  case null
  /// `true` or `false`.
  case bool(Bool)
  /// A number without fraction and exponent that fits.
  case integer(Int)
  /// Any other number; one beyond the range of `Double` is infinite.
  case number(Double)
  /// A string.
  case string(String)
  /// An array.
  case array([JSONValue])
  /// An object.
  case object([Member])

  /// One member of an object.
  public struct Member: Sendable {
    /// Its name.
    public var name: String
    /// Its value.
    public var value: JSONValue
  }

  /// The value of a member; of a repeated name the last one, as Python and jq have it. Nil when
  /// there is none or this is no object.
  public subscript(name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.last { $0.name.isExactly(name) }?.value
  }

  /// The members, of repeated names the last ones; nil when this is no object.
  public var members: [Member]? {
    guard case .object(let members) = self else { return nil }
    var seen: Set<ExactText> = []
    return members.reversed().filter { seen.insert(ExactText($0.name)).inserted }.reversed()
  }

  /// The string; nil for another value.
  public var string: String? { if case .string(let text) = self { text } else { nil } }

  /// The elements; nil for another value.
  public var array: [JSONValue]? { if case .array(let values) = self { values } else { nil } }

  /// The number, whole or not; nil for another value.
  public var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  /// What it is, for messages.
  public var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a truth value"
    case .integer, .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

/// Why bytes are no JSON.
public struct JSONError: Error, Equatable, CustomStringConvertible {
  /// Where, from 0.
  public var byte: Int
  /// What was expected there and what was found.
  public var reason: String

  /// The reason and its place.
  public var description: String { "\(reason) at byte \(byte)" }
}
