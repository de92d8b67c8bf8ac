/// A call that ended with another status than OK, or could not be made.
public struct RPCError: Error, CustomStringConvertible {
  /// The status; with `isLocal`, `unavailable` for a call of a closed channel and `cancelled` for
  /// one that was under way when it was closed.
  public var code: StatusCode
  /// The server's text, or gRPC's own where no server answered.
  public var message: String
  /// The method's path, as in `/package.Service/Method`.
  public var method: String
  /// What the server sent after its answer.
  public var trailingMetadata: Metadata
  /// The core's full account of what failed underneath; for logs.
  public var debug: String
  /// True when this library refused or ended the call, and not the server or the network.
  public var isLocal: Bool

  /// An error.
  public init(
    code: StatusCode, message: String, method: String, trailingMetadata: Metadata = [:],
    debug: String = "", isLocal: Bool = false
  ) {
    (self.code, self.message, self.method) = (code, message, method)
    (self.trailingMetadata, self.debug, self.isLocal) = (trailingMetadata, debug, isLocal)
  }

  /// The code, the method and the text.
  public var description: String { "\(code) from \(method): \(message)" }

  static func closed(_ method: String) -> RPCError {
    RPCError(
      code: .unavailable, message: "the channel is closed; open a new one", method: method,
      isLocal: true)
  }

  static func closedUnderWay(_ method: String) -> RPCError {
    RPCError(
      code: .cancelled, message: "the channel was closed by its owner while the call was under way",
      method: method, isLocal: true)
  }
}
