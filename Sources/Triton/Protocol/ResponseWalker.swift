internal import CTritonProtocol
internal import GRPCChannel

/// Walks a ModelInferResponse on the wire, where its slices lie.
///
/// raw_output_contents (field 6) are noted as ranges and never copied; all other fields, some
/// hundred bytes, are gathered and unpacked by protobuf-c. The order of the fields does not matter.
struct ResponseWalker {
  private let message: ReceivedMessage
  private let inRegions: Set<String>
  private var raw: [Range<Int>] = []
  private var header: [UInt8] = []

  /// Headers above this are no honest answer: they would hold the tensors a second time.
  static let longestHeader = 4 << 20

  /// The answer in `range` of a message, all of it by default.
  ///
  /// - Parameter inRegions: outputs that the server was asked to write to shared memory: not every
  ///   server's answer tells.
  /// - Throws: `ProtobufFault` for whatever is no ModelInferResponse.
  static func infer(
    _ message: ReceivedMessage, _ range: Range<Int>? = nil, inRegions: Set<String> = []
  ) throws -> InferResult {
    var walker = ResponseWalker(message: message, inRegions: inRegions)
    try walker.walk(range ?? 0..<message.count)
    return try walker.result()
  }

  /// One answer of a stream: the server's error text, or an inference.
  static func stream(
    _ message: ReceivedMessage, inRegions: Set<String> = []
  ) throws -> (error: String, result: InferResult?) {
    var cursor = WireCursor(message, 0..<message.count)
    var error = ""
    var nested: Range<Int>?
    while let field = try cursor.next() {
      switch (field.number, field.content) {
      case (1, let range?): error = String(decoding: message.bytes(range), as: UTF8.self)
      case (2, let range?): nested = range
      default: continue
      }
    }
    return (error, try nested.map { try infer(message, $0, inRegions: inRegions) })
  }

  private init(message: ReceivedMessage, inRegions: Set<String>) {
    (self.message, self.inRegions) = (message, inRegions)
  }

  private mutating func walk(_ range: Range<Int>) throws {
    var cursor = WireCursor(message, range)
    var start = range.lowerBound
    header.reserveCapacity(256)
    while let field = try cursor.next() {
      if field.number == 6, let content = field.content {
        raw.append(content)
      } else {
        try gather(start..<cursor.at)
      }
      start = cursor.at
    }
  }

  private mutating func gather(_ field: Range<Int>) throws {
    guard header.count + field.count <= Self.longestHeader else {
      throw ProtobufFault(
        description: "the answer has more than \(Self.longestHeader) bytes beside its raw "
          + "tensors; Triton sends none in typed contents")
    }
    message.forEachPiece(of: field) { header.append(contentsOf: $0) }
  }

  private func result() throws -> InferResult {
    guard let unpacked = inference__model_infer_response__unpack(nil, header.count, header) else {
      throw ProtobufFault(description: "\(header.count) bytes are no inference.ModelInferResponse")
    }
    defer { inference__model_infer_response__free_unpacked(unpacked, nil) }
    let outputs = unpacked.pointee.allOutputs
    guard raw.count == outputs.count else {
      throw ProtobufFault(
        description: "the answer has \(outputs.count) outputs and \(raw.count) raw tensors, "
          + "expected one for each")
    }
    return InferResult(
      modelName: String(cString: unpacked.pointee.model_name),
      modelVersion: String(cString: unpacked.pointee.model_version),
      id: String(cString: unpacked.pointee.id), parameters: unpacked.pointee.allParameters,
      outputs: try outputs.indices.map { try tensor(outputs[$0]!.pointee, raw[$0]) })
  }

  private func tensor(
    _ output: Inference__ModelInferResponse__InferOutputTensor, _ range: Range<Int>
  ) throws -> OutputTensor {
    let name = String(cString: output.name)
    let shape = output.dimensions
    guard let datatype = Datatype(rawValue: String(cString: output.datatype)) else {
      throw ProtobufFault(
        description:
          "output \(name) has the unknown datatype \"\(String(cString: output.datatype))\"")
    }
    let expected = elementCount(of: shape).flatMap { count in
      datatype.byteCount.map { count.multipliedReportingOverflow(by: $0) }
    }
    guard elementCount(of: shape) != nil, expected?.overflow != true else {
      throw ProtobufFault(description: "output \(name) has the impossible shape \(shape)")
    }
    let parameters = output.allParameters
    let isInRegion = inRegions.contains(name) || parameters["shared_memory_region"] != nil
    if !(isInRegion && range.isEmpty), let bytes = expected?.partialValue, bytes != range.count {
      throw ProtobufFault(
        description: "output \(name) is \(datatype) \(shape): expected \(bytes) bytes, "
          + "got \(range.count)")
    }
    return OutputTensor(
      name: name, datatype: datatype, shape: shape, parameters: parameters,
      bytes: TensorBytes(message, range))
  }
}

extension Inference__ModelInferResponse {
  fileprivate var allOutputs:
    UnsafeBufferPointer<UnsafeMutablePointer<Inference__ModelInferResponse__InferOutputTensor>?>
  {
    UnsafeBufferPointer(start: outputs, count: n_outputs)
  }

  fileprivate var allParameters: [String: InferParameter] {
    inferParameters(UnsafeBufferPointer(start: parameters, count: n_parameters)) {
      ($0.key, $0.value)
    }
  }
}

extension Inference__ModelInferResponse__InferOutputTensor {
  fileprivate var dimensions: [Int] {
    UnsafeBufferPointer(start: shape, count: n_shape).map { Int($0) }
  }

  fileprivate var allParameters: [String: InferParameter] {
    inferParameters(UnsafeBufferPointer(start: parameters, count: n_parameters)) {
      ($0.key, $0.value)
    }
  }
}

/// A map field's entries; a repeated key keeps its last value, as protobuf has it.
private func inferParameters<Entry>(
  _ entries: UnsafeBufferPointer<UnsafeMutablePointer<Entry>?>,
  _ content: (Entry) -> (
    key: UnsafeMutablePointer<CChar>?, value: UnsafeMutablePointer<Inference__InferParameter>?
  )
) -> [String: InferParameter] {
  var all: [String: InferParameter] = [:]
  for entry in entries {
    let (key, value) = content(entry!.pointee)
    all[key.map { String(cString: $0) } ?? ""] = value?.pointee.choice ?? .string("")
  }
  return all
}

extension Inference__InferParameter {
  fileprivate var choice: InferParameter {
    switch parameter_choice_case {
    case INFERENCE__INFER_PARAMETER__PARAMETER_CHOICE_BOOL_PARAM: .bool(bool_param != 0)
    case INFERENCE__INFER_PARAMETER__PARAMETER_CHOICE_INT64_PARAM: .integer(int64_param)
    case INFERENCE__INFER_PARAMETER__PARAMETER_CHOICE_UINT64_PARAM: .unsigned(uint64_param)
    case INFERENCE__INFER_PARAMETER__PARAMETER_CHOICE_DOUBLE_PARAM: .double(double_param)
    case INFERENCE__INFER_PARAMETER__PARAMETER_CHOICE_STRING_PARAM:
      .string(string_param.map { String(cString: $0) } ?? "")
    default: .string("")  // a kind of value that this client is too old for
    }
  }
}
