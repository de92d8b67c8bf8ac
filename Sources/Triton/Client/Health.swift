extension TritonClient {
  /// Whether the server process answers (`ServerLive`).
  public func isLive(_ changes: CallChanges = .init()) async throws -> Bool {
    try await call(.serverLive, [:], changes).bool("live")
  }

  /// Whether the server can take inferences (`ServerReady`).
  public func isReady(_ changes: CallChanges = .init()) async throws -> Bool {
    try await call(.serverReady, [:], changes).bool("ready")
  }

  /// Whether a model can take inferences (`ModelReady`); false also for one that is unknown.
  public func isModelReady(
    _ name: String, version: String = "", _ changes: CallChanges = .init()
  ) async throws -> Bool {
    let request: [String: ProtobufValue] = ["name": .string(name), "version": .string(version)]
    return try await call(.modelReady, request, changes).bool("ready")
  }

  /// What the standard health service says (`grpc.health.v1.Health/Check`).
  public func health(service: String = "", _ changes: CallChanges = .init()) async throws
    -> HealthStatus
  {
    let answer = try await call(.healthCheck, ["service": .string(service)], changes)
    return HealthStatus(rawValue: answer.fields["status"]?.asText ?? "") ?? .unknown
  }

  /// Asks until server and model are ready.
  ///
  /// The first refusals are borne: a server that is starting refuses connections.
  /// - Throws: `TritonError` of class `notReady` or the last failure, once the time is over; at
  ///   once for errors that waiting does not mend.
  public func waitUntilReady(
    model: String? = nil, version: String = "", timeout: Duration = .seconds(60),
    every pause: Duration = .milliseconds(200)
  ) async throws {
    let deadline = ContinuousClock.now + timeout
    var last: TritonError?
    repeat {
      do {
        let once = CallChanges(timeout: min(.seconds(5), timeout), attempts: 1)
        let isReady =
          if let model { try await isModelReady(model, version: version, once) } else {
            try await self.isReady(once)
          }
        if isReady { return }
        last = nil
      } catch let error as TritonError where Self.passes.contains(error.code) {
        last = error
      }
      controlChannel.resetConnectBackoff()
      try await Task.sleep(for: pause)
    } while ContinuousClock.now < deadline
    let subject = model.map { "model \($0)" } ?? "the server"
    throw last
      ?? TritonError(
        code: .notReady, message: "\(target): \(subject) is not ready after \(timeout)",
        remedy: "see the server's log and its repository index", rpc: RPC.serverReady.name)
  }

  private static let passes: Set<TritonError.Code> = [.connection, .notReady, .overload, .deadline]
}

/// The standard health service's answer.
public enum HealthStatus: String, Sendable {
  case unknown = "UNKNOWN"
  case serving = "SERVING"
  case notServing = "NOT_SERVING"
  case serviceUnknown = "SERVICE_UNKNOWN"
}
