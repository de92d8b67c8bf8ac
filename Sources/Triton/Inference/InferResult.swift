public import GRPCChannel

/// An answer, its tensors still where gRPC received them.
public struct InferResult: Sendable {
  /// The model that answered.
  public var modelName: String
  /// Its version.
  public var modelVersion: String
  /// The request's id.
  public var id: String
  /// What the backend says beside the tensors.
  public var parameters: [String: InferParameter]
  /// The tensors, in the server's order.
  public var outputs: [OutputTensor]

  /// The call that brought it; nil in a stream, which has headers of its own.
  var answer: UnaryAnswer?

  /// The headers that the server sent before it.
  public var headers: Metadata { answer?.initialMetadata ?? [:] }
  /// The trailers that the server sent behind it.
  public var trailers: Metadata { answer?.trailingMetadata ?? [:] }

  /// An answer, such as a test's.
  public init(
    modelName: String, modelVersion: String = "1", id: String = "",
    parameters: [String: InferParameter] = [:], outputs: [OutputTensor]
  ) {
    (self.modelName, self.modelVersion, self.id) = (modelName, modelVersion, id)
    (self.parameters, self.outputs) = (parameters, outputs)
  }

  /// Whether it is the last answer to its request; always true for a model that is not decoupled.
  public var isFinal: Bool {
    parameters["triton_final_response"] != .bool(false)
  }

  /// An output by name.
  ///
  /// - Throws: `TritonError` naming the outputs there are.
  public func output(_ name: String) throws -> OutputTensor {
    if let found = outputs.first(where: { $0.name == name }) { return found }
    throw TritonError(
      code: .contract,
      message: "\(modelName) gave no output \(name); it gave \(outputs.map(\.name))")
  }
}

/// An output tensor: row-major, little-endian.
public struct OutputTensor: Sendable {
  /// Its name.
  public var name: String
  /// Its element type.
  public var datatype: Datatype
  /// Its shape, the batch dimension included.
  public var shape: [Int]
  /// What the server says of it; names the region of an output in shared memory.
  public var parameters: [String: InferParameter]
  /// Its bytes; empty when it was written to shared memory.
  public var bytes: TensorBytes

  /// The number of elements. Traps for a shape that cannot be, which no server's answer has.
  public var count: Int { elementCount(of: shape)! }

  /// A tensor whose bytes fit its shape.
  public init(
    name: String, datatype: Datatype, shape: [Int], parameters: [String: InferParameter] = [:],
    bytes: TensorBytes
  ) {
    precondition(elementCount(of: shape) != nil, "the shape \(shape) is impossible")
    (self.name, self.datatype, self.shape) = (name, datatype, shape)
    (self.parameters, self.bytes) = (parameters, bytes)
  }

  /// A tensor of numbers, such as a test's.
  public init<Element: TensorElement>(_ name: String, shape: [Int], _ elements: [Element]) {
    let bytes = elements.withUnsafeBytes { Array($0) }
    self.init(
      name: name, datatype: Element.datatype, shape: shape, bytes: TensorBytes(copying: bytes))
  }

  /// A BYTES tensor of UTF-8 texts, such as a test's.
  public init(_ name: String, shape: [Int], strings: [String]) {
    self.init(
      name: name, datatype: .bytes, shape: shape,
      bytes: TensorBytes(copying: BytesTensor.encode(strings: strings)))
  }

  /// The elements, copied; the type must be the tensor's own.
  ///
  /// - Throws: `TritonError` naming the two types.
  public func array<Element: TensorElement>(of type: Element.Type) throws -> [Element] {
    guard type.datatype == datatype else {
      throw mismatch("\(type) (\(type.datatype))", try: "read it as \(datatype)")
    }
    return bytes.array(of: type)
  }

  /// The elements as Float, from FP32, FP16, BF16 or FP64.
  ///
  /// - Throws: `TritonError` for another type.
  public func floats() throws -> [Float] {
    switch datatype {
    case .fp32: bytes.array(of: Float.self)
    case .fp16: bytes.array(of: Float16.self).map { Float($0) }
    case .bf16: bytes.array(of: BFloat16.self).map(\.float)
    case .fp64: bytes.array(of: Double.self).map { Float($0) }
    default: throw mismatch("floating point", try: "use array(of:)")
    }
  }

  /// The elements of a BYTES tensor.
  ///
  /// - Throws: `TritonError` when it is none, or its counts do not add up.
  public func byteElements() throws -> [[UInt8]] {
    guard datatype == .bytes else { throw mismatch("BYTES", try: "use array(of:)") }
    do {
      return try BytesTensor.decode(bytes.bytes, count: count)
    } catch var error as TritonError {
      error.message = "output \(name): \(error.message)"
      throw error
    }
  }

  /// The elements of a BYTES tensor as text; invalid UTF-8 is repaired.
  public func strings() throws -> [String] {
    try byteElements().map { String(decoding: $0, as: UTF8.self) }
  }

  private func mismatch(_ wanted: String, try remedy: String) -> TritonError {
    TritonError(
      code: .contract, message: "\(name) is \(datatype) \(shape), it was read as \(wanted)",
      remedy: remedy)
  }
}

/// A borrowed view of a tensor's bytes over the received slices; keeps the message alive.
public struct TensorBytes: Sendable {
  private let message: ReceivedMessage
  private let range: Range<Int>

  package init(_ message: ReceivedMessage, _ range: Range<Int>) {
    (self.message, self.range) = (message, range)
  }

  /// Bytes that no server sent.
  public init(copying bytes: [UInt8]) {
    self.init(ReceivedMessage(pieces: [bytes]), 0..<bytes.count)
  }

  /// The number of bytes.
  public var count: Int { range.count }

  /// All bytes, copied.
  public var bytes: [UInt8] { message.bytes(range) }

  /// Copies bytes `part` to `target`, which must be as long. Traps outside the tensor.
  public func copy(_ part: Range<Int>, to target: UnsafeMutableRawBufferPointer) {
    precondition(part.lowerBound >= 0 && part.upperBound <= count, "outside the tensor")
    let first = range.lowerBound + part.lowerBound
    message.copy(first..<first + part.count, to: target)
  }

  /// Calls `body` with the bytes as they lie, piece by piece.
  public func forEachPiece(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
    try message.forEachPiece(of: range, body)
  }

  /// Element `index`, counted in elements of the type. Traps outside the tensor.
  public func load<Element: BitwiseCopyable>(_ index: Int, as type: Element.Type) -> Element {
    let offset = index * MemoryLayout<Element>.size
    precondition(index >= 0 && offset + MemoryLayout<Element>.size <= count, "outside the tensor")
    return message.load(at: range.lowerBound + offset, as: type)
  }

  /// All whole elements, copied; a Bool that is neither 0 nor 1 counts as true.
  public func array<Element: BitwiseCopyable>(of type: Element.Type) -> [Element] {
    if type == Bool.self { return bytes.map { $0 != 0 } as! [Element] }  // the types are the same
    let elements = count / MemoryLayout<Element>.size
    return [Element](unsafeUninitializedCapacity: elements) { target, written in
      copy(
        0..<elements * MemoryLayout<Element>.size, to: UnsafeMutableRawBufferPointer(target))
      written = elements
    }
  }
}
