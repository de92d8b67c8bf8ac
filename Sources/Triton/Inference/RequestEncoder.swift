internal import GRPCChannel

extension InferRequest {
  /// Inputs, outputs and parameters that Triton would misread or refuse only after sending.
  func validate() throws {
    func refuse(_ message: String) throws -> Never {
      throw TritonError(code: .invalidRequest, message: message, rpc: RPC.modelInfer.name)
    }
    if modelName.isEmpty { try refuse("the request names no model") }
    if hasNUL { try refuse("a name, an id or a parameter of the request contains a NUL byte") }
    for (index, input) in inputs.enumerated() {
      if let fault = input.fault { try refuse(fault) }
      // A model has few inputs: comparing them is cheaper than a set of their names.
      if inputs[..<index].contains(where: { $0.name == input.name }) {
        try refuse("the input \(input.name) is given twice")
      }
    }
    for key in parameters.keys where Self.reserved.contains(key) || key.hasPrefix("triton_") {
      try refuse("parameter \(key) is Triton's own; use the request's properties")
    }
    if let sequence, sequence.id == .number(0) || sequence.id == .text("") {
      try refuse("a sequence id is not 0 and not empty: these mean no sequence")
    }
    if outputs.contains(where: { $0.region?.isImpossible == true }) {
      try refuse("an output's place in shared memory begins or ends below 0")
    }
    let bytes = inputs.reduce(0) { $0 + $1.rawByteCount }
    if bytes > Int(Int32.max) {
      throw TritonError(
        code: .size, message: "the inputs have \(bytes) bytes, gRPC's limit is \(Int32.max)",
        remedy: "send fewer rows in one request", rpc: RPC.modelInfer.name)
    }
  }

  /// Texts that the server, or this client on their way back, would cut at a NUL.
  private var hasNUL: Bool {
    func cut(_ text: String) -> Bool { text.utf8.contains(0) }
    return cut(modelName) || cut(modelVersion) || cut(id)
      || inputs.contains { cut($0.name) || $0.region.map { cut($0.region) } ?? false }
      || outputs.contains { cut($0.name) || $0.region.map { cut($0.region) } ?? false }
      || parameters.contains { key, value in
        if case .string(let text) = value { cut(key) || cut(text) } else { cut(key) }
      }
  }

  /// Holds an answer against its request: another model's or version's is none.
  func check(_ result: InferResult) throws {
    try expectSame("model", modelName, result.modelName)
    if !modelVersion.isEmpty { try expectSame("version", modelVersion, result.modelVersion) }
    if !id.isEmpty { try expectSame("request", id, result.id) }
  }

  private static let reserved: Set<String> = [
    "sequence_id", "sequence_start", "sequence_end", "priority", "timeout", "headers",
    "binary_data_output",
  ]

  /// The message: one copied piece for the fields, and each tensor where it lies.
  ///
  /// raw_input_contents stand in the order of the inputs that are not in shared memory.
  func encoded() -> OutgoingMessage {
    var writer = WireWriter(reserving: 256 + inputs.count * 64)
    writer.string(1, modelName)
    writer.string(2, modelVersion)
    writer.string(3, id)
    for (key, value) in allParameters.sorted(by: { $0.key < $1.key }) {
      writer.parameter(4, key, value)
    }
    for input in inputs { writer.message(5) { $0.input(input) } }
    for output in outputs { writer.message(6) { $0.output(output) } }
    var pieces: [OutgoingMessage.Piece] = []
    for input in inputs {
      guard case .raw(let bytes) = input.source else { continue }
      writer.header(7, count: bytes.count)
      // Small tensors ride in the copied piece: a slice of their own costs more than the copy.
      if bytes.count <= 256 {
        bytes.withBytes { writer.append($0) }
      } else {
        pieces += [.copied(writer.take()), .shared(bytes)]
      }
    }
    if !writer.bytes.isEmpty || pieces.isEmpty { pieces.append(.copied(writer.bytes)) }
    return OutgoingMessage(pieces: pieces)
  }

  /// The free parameters and those behind properties.
  private var allParameters: [String: InferParameter] {
    var all = parameters
    if let sequence {
      switch sequence.id {
      case .number(let number): all["sequence_id"] = .integer(number)
      case .text(let text): all["sequence_id"] = .string(text)
      }
      all["sequence_start"] = .bool(sequence.starts)
      all["sequence_end"] = .bool(sequence.ends)
    }
    if priority > 0 { all["priority"] = .unsigned(priority) }
    if let queueTimeout { all["timeout"] = .integer(queueTimeout.microseconds) }
    if wantsEmptyFinalResponse { all["triton_enable_empty_final_response"] = .bool(true) }
    return all
  }
}

extension InferInput {
  fileprivate var region: SharedMemorySlice? {
    if case .region(let slice) = source { slice } else { nil }
  }

  fileprivate var rawByteCount: Int {
    if case .raw(let bytes) = source { bytes.count } else { 0 }
  }
}

extension SharedMemorySlice {
  /// Whether it begins, or its length is, below 0.
  var isImpossible: Bool { offset < 0 || byteCount < 0 }

  /// The parameters by which an input or output names its region.
  var parameters: [(String, InferParameter)] {
    let whole: [(String, InferParameter)] = [
      ("shared_memory_region", .string(region)),
      ("shared_memory_byte_size", .integer(Int64(byteCount))),
    ]
    return offset == 0 ? whole : whole + [("shared_memory_offset", .integer(Int64(offset)))]
  }
}

extension WireWriter {
  fileprivate mutating func input(_ input: InferInput) {
    tensor(input.name, input.datatype, input.shape)
    guard case .region(let slice) = input.source else { return }
    for (key, value) in slice.parameters { parameter(4, key, value) }
  }

  private mutating func tensor(_ name: String, _ datatype: Datatype, _ shape: [Int]) {
    string(1, name)
    string(2, datatype.rawValue)
    guard !shape.isEmpty else { return }
    message(3) { packed in
      for dimension in shape { packed.varint(UInt64(dimension)) }
    }
  }

  fileprivate mutating func output(_ output: RequestedOutput) {
    string(1, output.name)
    for (key, value) in output.region?.parameters ?? [] { parameter(2, key, value) }
    if let classes = output.classes { parameter(2, "classification", .integer(Int64(classes))) }
  }

  fileprivate mutating func parameter(_ field: UInt64, _ key: String, _ value: InferParameter) {
    message(field) { entry in
      entry.string(1, key)
      entry.message(2) { choice in
        switch value {
        case .bool(let flag): choice.integer(1, flag ? 1 : 0)
        case .integer(let number): choice.integer(2, UInt64(bitPattern: number))
        case .string(let text): choice.presentString(3, text)
        case .double(let number): choice.double(4, number)
        case .unsigned(let number): choice.integer(5, number)
        }
      }
    }
  }
}

extension Duration {
  /// Whole microseconds, at least 1.
  var microseconds: Int64 {
    let (seconds, attoseconds) = components
    guard seconds < Int64.max / 1_000_000 - 1 else { return .max }
    return max(1, max(seconds, 0) * 1_000_000 + attoseconds / 1_000_000_000_000)
  }
}
