public import GRPCChannel

/// What one call changes of its client's settings.
public struct CallOptions: Sendable {
  /// Another timeout, which then bounds the whole call: it waits for an absent server within it.
  public var timeout: Duration?
  /// Another patience with servers that are away; with it the call may take that much longer than
  /// its timeout.
  public var patience: Duration?
  /// Headers beside the client's.
  public var metadata: Metadata = [:]
  /// Another compression.
  public var compression: Compression?
  /// Another number of attempts; 1 never tries again and never waits.
  public var attempts: Int?
  /// Classes of errors that the caller answers itself: they are neither tried again nor waited out
  /// here. Another server of a list still takes over for one that is away.
  public var notRetried: Set<TritonError.Code> = []
  /// Asks Triton to end a stream at the first error with that error's own status, instead of
  /// telling it as a text in an answer (the header `triton_grpc_error`). Triton 24.10 does
  /// so for errors of models: what it refuses before a model runs still comes as an answer.
  public var endsStreamOnError = false

  /// No change but these.
  public init(
    timeout: Duration? = nil, patience: Duration? = nil, metadata: Metadata = [:],
    attempts: Int? = nil
  ) {
    (self.timeout, self.patience) = (timeout, patience)
    (self.metadata, self.attempts) = (metadata, attempts)
  }
}
