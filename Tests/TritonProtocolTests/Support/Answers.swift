import GRPCChannel

import TestSupport
@testable import Triton

/// Answers of a server: made at random, and read by the naive twin.
enum Answers {
  /// A valid ModelInferResponse as protobuf-c packs it.
  static func random(_ random: inout SeededRandom) -> ProtobufMessage {
    let outputs = (0..<random.below(5)).map { _ in output(&random) }
    return ProtobufMessage([
      "model_name": .string(random.text()), "model_version": .string(random.text()),
      "id": .string(random.text()), "parameters": Twin.map(random.parameters()),
      "outputs": .list(outputs.map { .message($0.0) }),
      "raw_output_contents": .list(outputs.map { .bytes($0.1) }),
    ])
  }

  private static func output(_ random: inout SeededRandom) -> (ProtobufMessage, [UInt8]) {
    let datatype = Datatype.allCases[random.below(Datatype.allCases.count)]
    let shape = (0..<random.below(4)).map { _ in random.below(7) }
    var parameters = random.parameters()
    var count = shape.reduce(1, *) * (datatype.byteCount ?? 3)
    if random.below(8) == 0 {
      parameters["shared_memory_region"] = .string("region")
      count = 0
    }
    let message = ProtobufMessage([
      "name": .string(random.text()), "datatype": .string(datatype.rawValue),
      "shape": .list(shape.map { .signed(Int64($0)) }), "parameters": Twin.map(parameters),
    ])
    return (message, random.bytes(count))
  }

  /// What the walker should read from a whole message; nil where it is no answer that Triton gives.
  static func twin(_ bytes: [UInt8]) -> Flat? {
    (try? ProtobufMessage(unpacking: bytes, as: RPC.modelInfer.response)).flatMap { twin($0) }
  }

  static func twin(_ message: ProtobufMessage) -> Flat? {
    let (outputs, raw) = (message.messages("outputs"), message.list("raw_output_contents"))
    guard outputs.count == raw.count else { return nil }
    var flat = Flat(
      model: message.string("model_name"), version: message.string("model_version"),
      id: message.string("id"), parameters: texts(message), outputs: [])
    for (output, raw) in zip(outputs, raw) {
      guard case .bytes(let bytes) = raw, let tensor = tensor(output, bytes) else { return nil }
      flat.outputs.append(tensor)
    }
    return flat
  }

  private static func tensor(_ output: ProtobufMessage, _ bytes: [UInt8]) -> Flat.Tensor? {
    let shape = output.integers("shape")
    guard let datatype = Datatype(rawValue: output.string("datatype")),
      shape.allSatisfy({ $0 >= 0 }), let elements = product(shape)
    else { return nil }
    let parameters = texts(output)
    if let size = datatype.byteCount {
      guard let count = product([elements, size]) else { return nil }
      guard parameters["shared_memory_region"] != nil || count == bytes.count else { return nil }
    }
    return Flat.Tensor(
      name: output.string("name"), datatype: datatype, shape: shape, parameters: parameters,
      bytes: bytes)
  }

  private static func product(_ shape: [Int]) -> Int? {
    shape.reduce(Optional(1)) { product, dimension in
      product.map { $0.multipliedReportingOverflow(by: dimension) }
        .flatMap { $0.overflow ? nil : $0.partialValue }
    }
  }

  /// Parameters in words, which NaN is equal to itself in.
  private static func texts(_ message: ProtobufMessage) -> [String: String] {
    message.map("parameters").mapValues { value in
      switch value.asMessage?.fields.first?.value {
      case .bool(let flag): "bool \(flag)"
      case .signed(let number): "integer \(number)"
      case .unsigned(let number): "unsigned \(number)"
      case .string(let text): "string \(text)"
      case .double(let number): "double \(number.bitPattern)"
      default: "string "
      }
    }
  }
}

/// An answer with its tensors copied, to be compared.
struct Flat: Hashable {
  struct Tensor: Hashable {
    var name: String
    var datatype: Datatype
    var shape: [Int]
    var parameters: [String: String]
    var bytes: [UInt8]
  }
  var model: String
  var version: String
  var id: String
  var parameters: [String: String]
  var outputs: [Tensor]
}

extension Flat {
  init(_ result: InferResult) {
    self.init(
      model: result.modelName, version: result.modelVersion, id: result.id,
      parameters: result.parameters.mapValues(Self.text),
      outputs: result.outputs.map { output in
        Tensor(
          name: output.name, datatype: output.datatype, shape: output.shape,
          parameters: output.parameters.mapValues(Self.text), bytes: output.bytes.bytes)
      })
  }

  private static func text(_ parameter: InferParameter) -> String {
    switch parameter {
    case .bool(let flag): "bool \(flag)"
    case .integer(let number): "integer \(number)"
    case .unsigned(let number): "unsigned \(number)"
    case .string(let text): "string \(text)"
    case .double(let number): "double \(number.bitPattern)"
    }
  }
}
