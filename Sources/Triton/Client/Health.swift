extension TritonClient {
  /// Whether the server process answers (`ServerLive`).
  public func isLive(options: CallOptions = .init()) async throws -> Bool {
    try await call(.serverLive, [:], options).bool("live")
  }

  /// Whether the server can take inferences (`ServerReady`).
  public func isReady(options: CallOptions = .init()) async throws -> Bool {
    try await call(.serverReady, [:], options).bool("ready")
  }

  /// Whether a model can take inferences (`ModelReady`); false also for one that is unknown.
  public func isModelReady(
    _ name: String, version: String = "", options: CallOptions = .init()
  ) async throws -> Bool {
    let request: [String: ProtobufValue] = ["name": .string(name), "version": .string(version)]
    return try await call(.modelReady, request, options).bool("ready")
  }

  /// What the standard health service says (`grpc.health.v1.Health/Check`).
  public func health(service: String = "", options: CallOptions = .init()) async throws
    -> HealthStatus
  {
    let answer = try await call(.healthCheck, ["service": .string(service)], options)
    return HealthStatus(rawValue: answer.fields["status"]?.asText ?? "") ?? .unknown
  }

  /// Asks until server and model are ready.
  ///
  /// The first refusals are borne: a server that is starting refuses connections.
  /// - Parameter options: of each question; its timeout is at most 5 s, and it is one attempt.
  /// - Throws: `TritonError` of class `notReady` or the last failure, once the time is over; at
  ///   once for errors that waiting does not mend.
  public func waitUntilReady(
    model: String? = nil, version: String = "", timeout: Duration = .seconds(60),
    every pause: Duration = .milliseconds(200), options: CallOptions = .init()
  ) async throws {
    let deadline = ContinuousClock.now + timeout
    var last: TritonError?
    var once = options
    once.attempts = 1
    once.timeout = min(options.timeout ?? .seconds(5), max(timeout, .milliseconds(1)))
    repeat {
      do {
        let isReady =
          if let model { try await isModelReady(model, version: version, options: once) } else {
            try await self.isReady(options: once)
          }
        if isReady { return }
        last = nil
      } catch let error as TritonError
        where error.code.meansAbsence
        || [.overload, .deadline, .cancelled].contains(error.code)
          && !error.isLocal
      {
        last = error
      }
      for server in pool.servers { server.control.resetConnectBackoff() }
      try await Task.sleep(for: pause)
    } while ContinuousClock.now < deadline
    let subject = model.map { "model \($0)" } ?? "the server"
    throw last
      ?? TritonError(
        code: .notReady, message: "\(target): \(subject) is not ready after \(timeout)",
        remedy: "see the server's log and its repository index", rpc: RPC.serverReady.name)
  }
}

/// The standard health service's answer.
public enum HealthStatus: String, Sendable {
  case unknown = "UNKNOWN"
  case serving = "SERVING"
  case notServing = "NOT_SERVING"
  case serviceUnknown = "SERVICE_UNKNOWN"
}
