/// Why an engine gave no answer. The codes are open: more may come.
public struct InferenceError: Error, CustomStringConvertible {
  /// The class of an error: what a caller does differs by it.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    /// A stable name.
    public let description: String
    /// A code with its stable name.
    public init(_ description: String) { self.description = description }

    /// The request itself is wrong: a row too long, an id outside the vocabulary.
    public static let invalidRequest = Code("invalid_request")
    /// The model gave logits that cannot be decoded.
    public static let badLogits = Code("bad_logits")
    /// The model's files do not fit together, or model and request do not.
    public static let badModel = Code("bad_model")
    /// An answer would pass a limit of bytes: shorter windows or fewer rows help.
    public static let size = Code("size")
    /// The engine failed on this request; another one may be answered.
    public static let engineFailure = Code("engine_failure")
    /// No server could be reached, or none was ready, for as long as the engine is patient.
    public static let unavailable = Code("unavailable")
    /// Too much was asked for at once, for as long as the engine is patient.
    public static let overloaded = Code("overloaded")
    /// The deadline passed.
    public static let deadline = Code("deadline")
    /// A server wants a header, a certificate or a right that it did not get.
    public static let unauthorized = Code("unauthorized")
    /// The caller's task was cancelled.
    public static let cancelled = Code("cancelled")
    /// The engine was closed before it could answer.
    public static let closed = Code("closed")
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

  /// The caller's task was cancelled.
  public static let cancelled = InferenceError(code: .cancelled, message: "the task was cancelled")

  /// Whether the same request may be answered later, by whoever asks again.
  public var isRetriable: Bool { [.unavailable, .overloaded, .deadline].contains(code) }

  /// Whether the error is one of the sentences of its batch, so that the others may be answered
  /// without it; an error of the model, of its server or of the task is every sentence's.
  public var concernsSentences: Bool {
    row != nil || [.invalidRequest, .badLogits, .size, .engineFailure].contains(code)
  }

  /// The message with its code.
  public var description: String { "\(message) [\(code)]" }
}
