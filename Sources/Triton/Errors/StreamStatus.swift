internal import GRPCChannel

/// The status that belongs to the text of an error in a stream, which brings none of its own.
///
/// The words are those with which Triton refuses a request before it runs; all else is left
/// unknown. `CallOptions.endsStreamOnError` makes Triton tell the status itself.
enum StreamStatus {
  static func of(_ text: String) -> StatusCode {
    byText.first { text.contains($0.text) }?.status ?? .unknown
  }

  private static let byText: [(text: String, status: StatusCode)] = [
    ("has no available versions", .notFound),
    ("is not at ready state", .unavailable),
    ("unknown model", .invalidArgument),
    ("unexpected shape for input", .invalidArgument),
    ("unexpected inference input", .invalidArgument),
    ("unexpected inference output", .invalidArgument),
    ("unexpected datatype", .invalidArgument),
    ("unexpected total byte size", .invalidArgument),
    ("inference request batch-size must be", .invalidArgument),
    ("inference input '", .invalidArgument),
    ("inference request to model", .invalidArgument),
    ("inference request for sequence", .invalidArgument),
    ("model configuration does not allow", .invalidArgument),
    ("must specify a correlation ID", .invalidArgument),
    ("inputs but got", .invalidArgument),
    ("input byte size mismatch", .invalidArgument),
    ("expected batch", .invalidArgument),
    ("unable to find shared memory", .invalidArgument),
  ]
}
