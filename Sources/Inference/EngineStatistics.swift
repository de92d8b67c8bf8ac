/// Which model answers, and how: for logs and for the record of a run.
public struct EngineIdentity: Sendable, Hashable, CustomStringConvertible {
  /// The kind of engine: `embedded`, `triton`.
  public var engine: String
  /// The model: a bundle's directory, or a served model's name.
  public var model: String
  /// The served model's version, where the server told it.
  public var version: String?
  /// How it is run or asked: a precision, a route.
  public var mode: String
  /// The server's address; nil for an engine of this process.
  public var server: String?

  /// An identity.
  public init(
    engine: String, model: String, version: String? = nil, mode: String, server: String? = nil
  ) {
    (self.engine, self.model, self.version) = (engine, model, version)
    (self.mode, self.server) = (mode, server)
  }

  /// All of it in a few words.
  public var description: String {
    let place = server.map { " at \($0)" } ?? ""
    return "\(engine) \(model)\(version.map { " version \($0)" } ?? "")\(place) (\(mode))"
  }
}

/// What an engine has done since it was made; what does not apply to a kind of engine stays 0.
public struct EngineStatistics: Sendable, Hashable {
  /// Sentences answered.
  public var sentences = 0
  /// Calls or requests answered.
  public var requests = 0
  /// Sentences asked again densely, because their compact answer may have been cut.
  public var askedAgain = 0
  /// Sentences asked in a lesser way because a better one failed; see `failure`.
  public var fellBack = 0
  /// Why the better way failed, the last time.
  public var failure: String?
  /// Requests that a server refused for overload; each was sent again.
  public var overloads = 0
  /// Requests sent again because a connection or a server was lost.
  public var outages = 0
  /// Requests that may be in flight now.
  public var concurrency = 0
  /// Time spent on making requests, all calls together.
  public var encoding = Duration.zero
  /// Time spent on reading answers, their decoding included.
  public var decoding = Duration.zero
  /// Bytes of messages sent, every call counted.
  public var bytesSent = 0
  /// Bytes of messages received.
  public var bytesReceived = 0

  /// Nothing yet.
  public init() {}
}
