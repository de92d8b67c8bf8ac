internal import CTritonProtocol
internal import GRPCChannel

/// Walks a ModelInferResponse on the wire, where its slices lie.
///
/// raw_output_contents (field 6) are noted as ranges and never copied; all other fields, some
/// hundred bytes, are gathered and unpacked by protobuf-c. The order of the fields does not matter.
struct ResponseWalker {
  private let message: ReceivedMessage
  private var at: Int
  private let end: Int
  private var raw: [Range<Int>] = []
  private var header: [UInt8] = []

  /// Headers above this are no honest answer: they would hold the tensors a second time.
  static let longestHeader = 4 << 20

  /// A walk over `range` of a message, all of it by default.
  init(_ message: ReceivedMessage, _ range: Range<Int>? = nil) {
    self.message = message
    at = range?.lowerBound ?? 0
    end = range?.upperBound ?? message.count
  }

  /// The answer.
  ///
  /// - Throws: `ProtobufFault` for whatever is no ModelInferResponse.
  static func infer(_ message: ReceivedMessage, _ range: Range<Int>? = nil) throws -> InferResult {
    var walker = ResponseWalker(message, range)
    try walker.walk()
    let unpacked = try ProtobufMessage(unpacking: walker.header, as: RPC.modelInfer.response)
    return try walker.result(unpacked)
  }

  /// One answer of a stream: the server's error text, or an inference.
  static func stream(_ message: ReceivedMessage) throws -> (error: String, result: InferResult?) {
    var walker = ResponseWalker(message)
    var error = ""
    var nested: Range<Int>?
    while let (field, range) = try walker.next() {
      switch (field, range) {
      case (1, .bytes(let range)): error = String(decoding: message.bytes(range), as: UTF8.self)
      case (2, .bytes(let range)): nested = range
      default: continue
      }
    }
    return (error, try nested.map { try infer(message, $0) })
  }

  private mutating func walk() throws {
    while true {
      let start = at
      guard let (field, content) = try next() else { return }
      if field == 6, case .bytes(let range) = content {
        raw.append(range)
      } else {
        guard header.count + (at - start) <= Self.longestHeader else {
          throw ProtobufFault(
            description: "the answer has more than \(Self.longestHeader) bytes beside its raw "
              + "tensors; Triton sends none in typed contents")
        }
        header += message.bytes(start..<at)
      }
    }
  }

  private func result(_ header: ProtobufMessage) throws -> InferResult {
    let outputs = header.messages("outputs")
    guard raw.count == outputs.count else {
      throw ProtobufFault(
        description: "the answer has \(outputs.count) outputs and \(raw.count) raw tensors, "
          + "expected one for each")
    }
    return InferResult(
      modelName: header.string("model_name"), modelVersion: header.string("model_version"),
      id: header.string("id"), parameters: header.inferParameters(),
      outputs: try zip(outputs, raw).map { try tensor($0, $1) })
  }

  private func tensor(_ output: ProtobufMessage, _ range: Range<Int>) throws -> OutputTensor {
    let name = output.string("name")
    let shape = output.integers("shape")
    guard let datatype = Datatype(rawValue: output.string("datatype")) else {
      throw ProtobufFault(
        description: "output \(name) has the unknown datatype \"\(output.string("datatype"))\"")
    }
    let parameters = output.inferParameters()
    let isShared = parameters["shared_memory_region"] != nil
    let expected = elementCount(of: shape).flatMap { count in
      datatype.byteCount.map { count.multipliedReportingOverflow(by: $0) }
    }
    guard elementCount(of: shape) != nil, expected?.overflow != true else {
      throw ProtobufFault(description: "output \(name) has the impossible shape \(shape)")
    }
    if !isShared, let bytes = expected?.partialValue, bytes != range.count {
      throw ProtobufFault(
        description: "output \(name) is \(datatype) \(shape): expected \(bytes) bytes, "
          + "got \(range.count)")
    }
    return OutputTensor(
      name: name, datatype: datatype, shape: shape, parameters: parameters,
      bytes: TensorBytes(message, range))
  }

  private enum Content {
    case number
    case bytes(Range<Int>)
  }

  /// The next field and where its content lies; nil at the end.
  private mutating func next() throws -> (field: UInt64, content: Content)? {
    guard at < end else { return nil }
    let key = try varint()
    guard key >> 3 > 0, key >> 3 < 1 << 29 else { throw fault("there is no field \(key >> 3)") }
    switch key & 7 {
    case 0:
      _ = try varint()
      return (key >> 3, .number)
    case 1: try skip(8)
    case 5: try skip(4)
    case 2:
      let count = try varint()
      guard count <= UInt64(end - at) else {
        throw fault("field \(key >> 3) claims \(count) bytes of the \(end - at) left")
      }
      let range = at..<at + Int(count)
      at = range.upperBound
      return (key >> 3, .bytes(range))
    default: throw fault("wire type \(key & 7)")
    }
    return (key >> 3, .number)
  }

  private mutating func skip(_ count: Int) throws {
    guard end - at >= count else { throw fault("the message ends inside a field") }
    at += count
  }

  private mutating func varint() throws -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard at < end else { throw fault("the message ends inside a number") }
      let byte = message.load(at: at, as: UInt8.self)
      at += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw fault("a number has more than ten bytes")
  }

  private func fault(_ what: String) -> ProtobufFault {
    ProtobufFault(description: "the answer is no ModelInferResponse: byte \(at): \(what)")
  }
}

extension ProtobufMessage {
  fileprivate func inferParameters() -> [String: InferParameter] {
    map("parameters").mapValues { value in
      let choice = value.asMessage?.fields ?? [:]
      switch (choice.first?.key, choice.first?.value) {
      case (_, .bool(let flag)): return .bool(flag)
      case (_, .signed(let number)): return .integer(number)
      case (_, .unsigned(let number)): return .unsigned(number)
      case (_, .string(let text)): return .string(text)
      case (_, .double(let number)): return .double(number)
      default: return .string("")  // a kind of value that this client is too old for
      }
    }
  }
}
