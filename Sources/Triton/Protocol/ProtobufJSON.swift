internal import Foundation

extension ProtobufMessage {
  /// The message as JSON with sorted keys; maps are objects, bytes their count.
  var json: String {
    let options: JSONSerialization.WritingOptions = [
      .prettyPrinted, .sortedKeys, .withoutEscapingSlashes,
    ]
    // Cannot fail: `object` holds finite numbers, texts, lists and objects only.
    let data = try! JSONSerialization.data(withJSONObject: object, options: options)
    return String(decoding: data, as: UTF8.self)
  }

  var object: [String: Any] { fields.mapValues(\.object) }
}

extension ProtobufValue {
  var object: Any {
    switch self {
    case .bool(let value): return value
    case .signed(let value): return value
    case .unsigned(let value): return value
    case .double(let value): return value.isFinite ? value : "\(value)"
    case .string(let value), .name(let value): return value
    case .bytes(let value): return "\(value.count) bytes"
    case .message(let message): return message.object
    case .list(let values):
      let entries = values.compactMap(\.asMessage)
      let isMap =
        entries.count == values.count
        && entries.allSatisfy { Set($0.fields.keys).isSubset(of: ["key", "value"]) }
      guard isMap, !entries.isEmpty else { return values.map(\.object) }
      let pairs = entries.map { ($0.fields["key"]?.asText ?? "", $0.fields["value"]?.object ?? "") }
      return Dictionary(pairs) { _, last in last }
    }
  }
}
