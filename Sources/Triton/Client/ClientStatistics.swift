/// What a client has done since it was made.
public struct ClientStatistics: Sendable, Hashable {
  /// Calls that ended well.
  public var succeeded = 0
  /// Calls that ended in an error, by its class.
  public var failed: [TritonError.Code: Int] = [:]
  /// Calls that the caller cancelled.
  public var cancelled = 0
  /// Attempts beyond the first.
  public var retries = 0
  /// Retries that the empty budget forbade.
  public var retriesRefused = 0
  /// Bytes of messages sent, each attempt counted.
  public var bytesSent = 0
  /// Bytes of messages received.
  public var bytesReceived = 0
}
