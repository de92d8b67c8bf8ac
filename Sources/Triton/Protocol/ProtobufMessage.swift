internal import CTritonProtocol

/// A small protobuf message by field name, as protobuf-c packs and unpacks it.
///
/// Fields at their default value are absent, as on the wire. Map fields are lists of messages with
/// `key` and `value`.
struct ProtobufMessage: Sendable, Hashable {
  var fields: [String: ProtobufValue] = [:]
  /// Numbers of fields that came and that Protos do not know.
  var unknown: [Int] = []

  init(_ fields: [String: ProtobufValue] = [:]) { self.fields = fields }

  /// The unknown fields of this and of all nested messages, each once, by place and number.
  var unknownFields: [String] {
    var all = Set(unknown.map(String.init))
    for (name, value) in fields {
      for inner in value.unknownFields { all.insert("\(name).\(inner)") }
    }
    return all.sorted()
  }

  func string(_ name: String) -> String {
    if case .string(let value) = fields[name] { value } else { "" }
  }

  func bool(_ name: String) -> Bool {
    if case .bool(let value) = fields[name] { value } else { false }
  }

  /// Any integer; what does not fit an Int is clamped.
  func integer(_ name: String) -> Int { fields[name]?.asInteger ?? 0 }

  func unsigned(_ name: String) -> UInt64 {
    if case .unsigned(let value) = fields[name] { value } else { 0 }
  }

  func message(_ name: String) -> ProtobufMessage? {
    if case .message(let value) = fields[name] { value } else { nil }
  }

  func list(_ name: String) -> [ProtobufValue] {
    if case .list(let values) = fields[name] { values } else { [] }
  }

  func messages(_ name: String) -> [ProtobufMessage] { list(name).compactMap(\.asMessage) }

  func strings(_ name: String) -> [String] {
    list(name).compactMap { if case .string(let value) = $0 { value } else { nil } }
  }

  func integers(_ name: String) -> [Int] { list(name).compactMap(\.asInteger) }

  /// A map field's entries; a repeated key keeps its last value, as protobuf has it.
  func map(_ name: String) -> [String: ProtobufValue] {
    var all: [String: ProtobufValue] = [:]
    for entry in messages(name) {
      all[entry.fields["key"]?.asText ?? ""] = entry.fields["value"] ?? .message(.init())
    }
    return all
  }
}

/// One field's value.
indirect enum ProtobufValue: Sendable, Hashable {
  case bool(Bool)
  case signed(Int64)
  case unsigned(UInt64)
  case double(Double)
  case string(String)
  case bytes([UInt8])
  /// An enumeration by the name of its case.
  case name(String)
  case message(ProtobufMessage)
  case list([ProtobufValue])

  /// A map field.
  static func map(_ entries: [String: ProtobufValue]) -> ProtobufValue {
    .list(
      entries.sorted { $0.key < $1.key }.map {
        .message(ProtobufMessage(["key": .string($0.key), "value": $0.value]))
      })
  }

  var asMessage: ProtobufMessage? { if case .message(let value) = self { value } else { nil } }

  var unknownFields: [String] {
    switch self {
    case .message(let message): message.unknownFields
    case .list(let values): values.flatMap(\.unknownFields)
    default: []
    }
  }

  var asInteger: Int? {
    switch self {
    case .signed(let value): Int(value)
    case .unsigned(let value): Int(clamping: value)
    default: nil
    }
  }

  /// A scalar in words: the key of a map, a cell of a table.
  var asText: String? {
    switch self {
    case .bool(let value): "\(value)"
    case .signed(let value): "\(value)"
    case .unsigned(let value): "\(value)"
    case .double(let value): "\(value)"
    case .string(let value), .name(let value): value
    case .bytes, .message, .list: nil
    }
  }
}
