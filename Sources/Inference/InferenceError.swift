/// Why an engine cannot answer. The codes are open: more may come.
public struct InferenceError: Error, CustomStringConvertible {
  /// The class of an error.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    /// A stable name.
    public let description: String
    /// A code with its stable name.
    public init(_ description: String) { self.description = description }

    /// The request itself is wrong: a row too long, an id outside the vocabulary.
    public static let invalidRequest = Code("invalid_request")
    /// The model gave logits that cannot be decoded.
    public static let badLogits = Code("bad_logits")
    /// The model's files do not fit together.
    public static let badModel = Code("bad_model")
  }

  /// The class of the error.
  public var code: Code
  /// What was expected, what was got and what to do.
  public var message: String
  /// The row of the batch that it concerns, where it is one row.
  public var row: Int?
  /// What lies behind it.
  public var cause: (any Error)?

  /// An error.
  public init(code: Code, message: String, row: Int? = nil, cause: (any Error)? = nil) {
    (self.code, self.message, self.row, self.cause) = (code, message, row, cause)
  }

  /// The message with its code.
  public var description: String { "\(message) [\(code)]" }
}
