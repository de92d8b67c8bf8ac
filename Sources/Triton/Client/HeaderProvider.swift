public import GRPCChannel

/// Gives headers that change while a client lives, such as tokens that expire.
///
/// ```swift
/// configuration.headerProvider = HeaderProvider { occasion in
///   ["authorization": "Bearer \(try await tokens.current(anew: occasion == .refused))"]
/// }
/// ```
public struct HeaderProvider: Sendable {
  /// Why headers are asked for.
  public enum Occasion: Sendable, Hashable {
    /// An attempt of a call is about to be sent: what is remembered will do.
    case call
    /// The server answered UNAUTHENTICATED: the call is sent once more with what is given now.
    case refused
  }

  let headers: @Sendable (Occasion) async throws -> Metadata

  /// A provider; what `headers` throws comes out of the call as it is.
  ///
  /// - Parameter headers: asked before each attempt of each call, so it remembers what it got.
  public init(_ headers: @escaping @Sendable (Occasion) async throws -> Metadata) {
    self.headers = headers
  }
}
