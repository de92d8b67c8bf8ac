/// How one call is made.
public struct RPCOptions: Sendable, Hashable {
  /// From the start to the last byte of the answer. A call without a deadline could wait for ever,
  /// so there always is one.
  public var timeout: Duration = .seconds(60)
  /// Headers to send.
  public var metadata: Metadata = [:]
  /// How the request is compressed; pays only on slow links.
  public var compression: Compression = .none
  /// Whether to wait for a connection until the deadline instead of failing at the first refusal.
  /// It hides the cause ("Deadline Exceeded"): ask once without it first.
  public var waitsForReady = false

  /// The defaults.
  public init() {}
}

/// Message compression that gRPC's core has built in.
public enum Compression: String, Sendable, Hashable, CaseIterable {
  case none = "identity"
  case gzip
  case deflate
}

/// A method's full path.
public struct RPCMethod: Sendable, Hashable, CustomStringConvertible {
  /// As in `/package.Service/Method`.
  public let path: String

  /// A method of a service.
  public init(service: String, name: String) { path = "/\(service)/\(name)" }

  /// The path.
  public var description: String { path }
}
