import GRPCChannel

@testable import Triton

/// The naive twins of the hot paths: the same messages by protobuf-c, field by field.
enum Twin {
  /// A request as protobuf-c packs it.
  static func bytes(_ request: InferRequest) -> [UInt8] {
    ProtobufMessage(fields(request)).packed(as: RPC.modelInfer.request)
  }

  private static func fields(_ request: InferRequest) -> [String: ProtobufValue] {
    let raw: [ProtobufValue] = request.inputs.compactMap { input in
      guard case .raw(let bytes) = input.source else { return nil }
      return .bytes(bytes.withBytes { Array($0) })
    }
    return [
      "model_name": .string(request.modelName), "model_version": .string(request.modelVersion),
      "id": .string(request.id), "parameters": map(parameters(request)),
      "inputs": .list(request.inputs.map { .message(tensor($0)) }),
      "outputs": .list(request.outputs.map { .message(output($0)) }),
      "raw_input_contents": .list(raw),
    ]
  }

  private static func parameters(_ request: InferRequest) -> [String: InferParameter] {
    var all = request.parameters
    if let sequence = request.sequence {
      switch sequence.id {
      case .number(let number): all["sequence_id"] = .integer(number)
      case .text(let text): all["sequence_id"] = .string(text)
      }
      all["sequence_start"] = .bool(sequence.starts)
      all["sequence_end"] = .bool(sequence.ends)
    }
    if request.priority != 0 { all["priority"] = .unsigned(request.priority) }
    if let timeout = request.queueTimeout {
      let (seconds, attoseconds) = timeout.components
      all["timeout"] = .integer(max(1, seconds * 1_000_000 + attoseconds / 1_000_000_000_000))
    }
    if request.wantsEmptyFinalResponse {
      all["triton_enable_empty_final_response"] = .bool(true)
    }
    return all
  }

  private static func tensor(_ input: InferInput) -> ProtobufMessage {
    var fields: [String: ProtobufValue] = [
      "name": .string(input.name), "datatype": .string(input.datatype.rawValue),
      "shape": .list(input.shape.map { .signed(Int64($0)) }),
    ]
    if case .region(let slice) = input.source { fields["parameters"] = map(place(slice)) }
    return ProtobufMessage(fields)
  }

  private static func output(_ output: RequestedOutput) -> ProtobufMessage {
    var parameters = output.region.map(place) ?? [:]
    if let classes = output.classes { parameters["classification"] = .integer(Int64(classes)) }
    return ProtobufMessage(["name": .string(output.name), "parameters": map(parameters)])
  }

  private static func place(_ slice: SharedMemorySlice) -> [String: InferParameter] {
    var parameters: [String: InferParameter] = [
      "shared_memory_region": .string(slice.region),
      "shared_memory_byte_size": .integer(Int64(slice.byteCount)),
    ]
    if slice.offset != 0 { parameters["shared_memory_offset"] = .integer(Int64(slice.offset)) }
    return parameters
  }

  static func map(_ parameters: [String: InferParameter]) -> ProtobufValue {
    .map(parameters.mapValues { .message(ProtobufMessage([choice($0).0: choice($0).1])) })
  }

  private static func choice(_ parameter: InferParameter) -> (String, ProtobufValue) {
    switch parameter {
    case .bool(let flag): ("bool_param", .bool(flag))
    case .integer(let number): ("int64_param", .signed(number))
    case .string(let text): ("string_param", .string(text))
    case .double(let number): ("double_param", .double(number))
    case .unsigned(let number): ("uint64_param", .unsigned(number))
    }
  }
}

extension ProtobufMessage {
  /// The same message whatever the order of its maps; doubles by their bits, so that NaN is equal.
  var canonical: ProtobufMessage { ProtobufMessage(fields.mapValues(\.canonical)) }
}

extension ProtobufValue {
  fileprivate var canonical: ProtobufValue {
    switch self {
    case .double(let value): return .unsigned(value.bitPattern)
    case .message(let message): return .message(message.canonical)
    case .list(let values):
      let own = values.map(\.canonical)
      let keys = values.map { $0.asMessage?.fields["key"] }
      guard !keys.contains(nil) || values.contains(where: { $0.asMessage?.fields["value"] != nil })
      else { return .list(own) }
      return .list(own.sorted { Self.key($0) < Self.key($1) })
    default: return self
    }
  }

  private static func key(_ value: ProtobufValue) -> String {
    value.asMessage?.string("key") ?? ""
  }
}
