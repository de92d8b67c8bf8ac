public import GRPCChannel

/// A request for one inference, as `ModelInferRequest` has it.
public struct InferRequest: Sendable {
  /// The model's name.
  public var modelName: String
  /// Empty: the server's version policy chooses.
  public var modelVersion = ""
  /// Comes back with the answer, and stands in the server's logs and errors.
  public var id = ""
  /// The inputs; their order is free.
  public var inputs: [InferInput]
  /// The outputs wanted; empty asks for all.
  public var outputs: [RequestedOutput] = []
  /// The backend's own parameters; the reserved ones have properties here.
  public var parameters: [String: InferParameter] = [:]
  /// Where it stands in a sequence, for a model that keeps state.
  public var sequence: SequencePosition?
  /// 0 is the model's default, 1 the highest.
  public var priority: UInt64 = 0
  /// How long it may queue. Only a dynamic batcher whose queue policy allows an override heeds it,
  /// and only to shorten a default that is not 0; it never stops a running execution.
  public var queueTimeout: Duration?
  /// Whether a decoupled model's end is told by an empty answer of its own.
  public var wantsEmptyFinalResponse = false

  /// The outputs that come to shared memory instead of the answer.
  var outputsInRegions: Set<String> {
    Set(outputs.lazy.filter { $0.region != nil }.map { $0.name })
  }

  /// A request.
  public init(_ modelName: String, inputs: [InferInput], outputs: [RequestedOutput] = []) {
    (self.modelName, self.inputs, self.outputs) = (modelName, inputs, outputs)
  }

  /// A place in a sequence of requests that belong together.
  public struct SequencePosition: Sendable, Hashable {
    /// The correlation id.
    public var id: ID
    /// Whether it is the first.
    public var starts: Bool
    /// Whether it is the last.
    public var ends: Bool

    /// A place in a sequence.
    public init(id: ID, starts: Bool = false, ends: Bool = false) {
      (self.id, self.starts, self.ends) = (id, starts, ends)
    }

    /// A correlation id; neither 0 nor empty, which mean none.
    public enum ID: Sendable, Hashable {
      case number(Int64)
      case text(String)
    }
  }
}

/// One value of a request's, tensor's or answer's parameters.
public enum InferParameter: Sendable, Hashable {
  case bool(Bool)
  case integer(Int64)
  case string(String)
  case double(Double)
  /// Only for Triton's own keys: backends are not given it.
  case unsigned(UInt64)
}

/// An input tensor: row-major, little-endian.
public struct InferInput: Sendable {
  /// The tensor's name in the model.
  public var name: String
  /// Its element type.
  public var datatype: Datatype
  /// Its full shape, the batch dimension included.
  public var shape: [Int]
  /// Where its elements are.
  public var source: Source

  /// Where elements are.
  public enum Source: Sendable {
    /// In the message, sent from where they lie.
    case raw(SharedBytes)
    /// In a shared memory region that the server knows.
    case region(SharedMemorySlice)
  }

  /// Elements that already lie where they are sent from; nothing is copied.
  public init(_ name: String, _ datatype: Datatype, shape: [Int], bytes: SharedBytes) {
    (self.name, self.datatype, self.shape) = (name, datatype, shape)
    source = .raw(bytes)
  }

  /// Numbers, copied once.
  public init<Element: TensorElement>(_ name: String, shape: [Int], _ elements: [Element]) {
    self.init(name, Element.datatype, shape: shape, bytes: SharedBytes(elements))
  }

  /// A BYTES tensor.
  public init(_ name: String, shape: [Int], bytes elements: [[UInt8]]) {
    self.init(name, .bytes, shape: shape, bytes: SharedBytes(BytesTensor.encode(elements)))
  }

  /// A BYTES tensor of UTF-8 texts.
  public init(_ name: String, shape: [Int], strings: [String]) {
    self.init(name, shape: shape, bytes: strings.map { Array($0.utf8) })
  }

  /// Elements in a registered shared memory region.
  public init(_ name: String, _ datatype: Datatype, shape: [Int], region: SharedMemorySlice) {
    (self.name, self.datatype, self.shape, source) = (name, datatype, shape, .region(region))
  }

  /// Why the server could not take it; nil when its bytes fit its shape.
  var fault: String? {
    guard let elements = elementCount(of: shape) else {
      return "input \(name) has shape \(shape), expected dimensions of 0 or more"
    }
    if case .region(let slice) = source, slice.isImpossible {
      return
        "input \(name) lies at \(slice.offset) with \(slice.byteCount) bytes in shared memory, "
        + "expected 0 or more of both"
    }
    guard case .raw(let bytes) = source, let size = datatype.byteCount else { return nil }
    let (expected, overflows) = elements.multipliedReportingOverflow(by: size)
    guard !overflows else { return "input \(name) has the impossible shape \(shape)" }
    guard bytes.count != expected else { return nil }
    return "input \(name) has \(bytes.count) bytes, expected \(expected) for "
      + "\(datatype) \(shape)"
  }
}

/// An output that is asked for.
public struct RequestedOutput: Sendable, Hashable {
  /// The tensor's name in the model.
  public var name: String
  /// Where the server writes it instead of sending it.
  public var region: SharedMemorySlice?
  /// Asks for the k best classes as BYTES "score:index[:label]" instead of the tensor.
  public var classes: Int?

  /// An output.
  public init(_ name: String, region: SharedMemorySlice? = nil, classes: Int? = nil) {
    (self.name, self.region, self.classes) = (name, region, classes)
  }
}

/// A part of a shared memory region that is registered with the server.
public struct SharedMemorySlice: Sendable, Hashable {
  /// The name it is registered under.
  public var region: String
  /// Where it begins in the registered part, in bytes.
  public var offset: Int
  /// Its length in bytes.
  public var byteCount: Int

  /// A part of a region.
  public init(region: String, offset: Int = 0, byteCount: Int) {
    (self.region, self.offset, self.byteCount) = (region, offset, byteCount)
  }
}
