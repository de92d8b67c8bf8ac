public import GRPCChannel

/// Why the server gave no answer, or none that can be used. The codes are open: more may come.
public struct TritonError: Error, CustomStringConvertible {
  /// The class of an error: what a caller does differs by it.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    /// A stable name.
    public let description: String
    /// A code with its stable name.
    public init(_ description: String) { self.description = description }

    /// No connection, or it broke: another endpoint or a later attempt may work.
    public static let connection = Code("connection")
    /// A queue is full or a request waited too long in it: send less at once.
    public static let overload = Code("overload")
    /// The server or the model is starting, loading or shutting down.
    public static let notReady = Code("not_ready")
    /// A model cannot be loaded; the text is its backend's reason.
    public static let loadFailed = Code("load_failed")
    /// The server knows no such model or version.
    public static let unknownModel = Code("unknown_model")
    /// Model and request or schema do not fit each other.
    public static let contract = Code("contract")
    /// A message would pass gRPC's or the client's limit: ask for fewer rows.
    public static let size = Code("size")
    /// The server wants a header, a certificate or a right that this client did not bring.
    public static let authorization = Code("authorization")
    /// The deadline passed.
    public static let deadline = Code("deadline")
    /// The server ended the call; this client did not.
    public static let cancelled = Code("cancelled")
    /// The request is wrong and was not sent.
    public static let invalidRequest = Code("invalid_request")
    /// The server does not do this: an old one, a switched-off feature, another kind of model.
    public static let unsupported = Code("unsupported")
    /// Shared memory cannot be used: on this machine, or a region that the server does not know,
    /// cannot open, knows already or finds too small.
    public static let sharedMemory = Code("shared_memory")
    /// A request still uses the shared memory region: ask again a moment later.
    public static let regionInUse = Code("region_in_use")
    /// The server or the model failed at this request; another attempt may go well.
    public static let serverFailure = Code("server_failure")
    /// The answer breaks the protocol, or the server failed in a way that has no class.
    public static let serverBug = Code("server_bug")
  }

  /// The class.
  public var code: Code
  /// What was expected and what was got.
  public var message: String
  /// What to do, where it is known.
  public var remedy: String?
  /// The method that was called.
  public var rpc: String?
  /// The server's address as it was given.
  public var target: String?
  /// gRPC's own status, when a call was made.
  public var status: StatusCode?
  /// The status text as it came, Triton's own words for most errors.
  public var serverText: String?
  /// The core's account of what failed underneath; for logs.
  public var debug: String?
  /// The trailers of the failed call.
  public var trailers: Metadata = [:]
  /// Whether a model is meant, where the class alone would be the whole server's.
  var concernsModel = false
  /// Whether this client refused or ended the call.
  var isLocal = false
  /// Whether the server certainly did not begin with the call.
  var wasNotRun = false

  /// An error.
  public init(
    code: Code, message: String, remedy: String? = nil, rpc: String? = nil,
    status: StatusCode? = nil
  ) {
    (self.code, self.message, self.remedy) = (code, message, remedy)
    (self.rpc, self.status) = (rpc, status)
  }

  /// Message, remedy and, in brackets, class, gRPC status and method.
  public var description: String {
    let tags = [code.description, status?.description, rpc].compactMap(\.self)
    let advice = remedy.map { "; \($0)" } ?? ""
    return "\(message)\(advice) [\(tags.joined(separator: ", "))]"
  }
}
