import TestSupport
import Testing
import Triton

/// Servers that go away, come back, refuse or stop answering.
@Suite(.timeLimit(.minutes(1))) struct AbsenceTests {
  private static let request = InferRequest("m", inputs: [])

  /// Nothing but patience helps: there is no budget and one retry.
  private static func patient(_ change: (inout TritonClient.Configuration) -> Void = { _ in })
    -> TritonClient.Configuration
  {
    var configuration = TritonClient.Configuration()
    configuration.retry.budget = 0
    configuration.retry.attempts = 2
    configuration.retry.longestPause = .milliseconds(200)
    change(&configuration)
    return configuration
  }

  @Test("Bug: fifty calls outlast a server that is killed and started again")
  func restart() async throws {
    let server = try await EchoServer()
    let client = try TritonClient(server.address, configuration: Self.patient())
    let options = CallOptions(.answer(model: "m"))
    _ = try await client.infer(Self.request, options: options)
    server.kill()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<50 {
        group.addTask { _ = try await client.infer(Self.request, options: options) }
      }
      while client.statistics.retries == 0 { await Task.yield() }
      try await server.restart()
      try await group.waitForAll()
    }
    #expect(client.statistics.succeeded == 51)
    #expect(client.statistics.failed == [:] && client.statistics.retriesRefused == 0)
    await client.close()
  }

  @Test(
    "Mutation: a server is found although gRPC's own back-off is an hour", arguments: [true, false])
  func backoff(wasServed: Bool) async throws {
    let server = try await EchoServer()
    let client = try TritonClient(
      server.address,
      configuration: Self.patient {
        $0.channel.longestReconnectPause = .seconds(3_600)
        $0.channel.arguments["grpc.initial_reconnect_backoff_ms"] = .integer(3_600_000)
        // A server that never answered is not waited for: attempts have to do.
        if !wasServed { ($0.retry.attempts, $0.retry.budget) = (10_000, 10_000) }
      })
    let options = CallOptions(.answer(model: "m"))
    if wasServed { _ = try await client.infer(Self.request, options: options) }
    server.kill()
    let call = Task { try await client.infer(Self.request, options: options) }
    while client.statistics.retries < 2 { await Task.yield() }
    try await server.restart()
    #expect(try await call.value.modelName == "m")
    await client.close()
  }

  @Test("Patience that is over ends the call and says how long it waited")
  func patienceEnds() async throws {
    let server = try await EchoServer()
    let client = try TritonClient(
      server.address, configuration: Self.patient { $0.retry.patience = .milliseconds(1_500) })
    let options = CallOptions(.answer(model: "m"))
    _ = try await client.infer(Self.request, options: options)
    server.kill()
    let error = await #expect(throws: TritonError.self) {
      try await client.infer(Self.request, options: options)
    }
    #expect(error?.code == .connection && error?.message.contains("s for it to come back") == true)
    // The timeout of one call is its own bound, and health is asked for and not waited for.
    for body in [
      { _ = try await client.infer(Self.request, options: .init(timeout: .milliseconds(300))) },
      { _ = try await client.isLive() }, { _ = try await client.isModelReady("m") },
    ] as [() async throws -> Void] {
      let error = await #expect(throws: TritonError.self) { try await body() }
      #expect(error?.code == .connection)
    }
    await client.close()
  }

  @Test("Bug: a server that says UNAVAILABLE for a while is outlasted with two attempts allowed")
  func unavailableForAWhile() async throws {
    let server = try await EchoServer()
    let client = try TritonClient(server.address, configuration: Self.patient())
    _ = try await client.infer(Self.request, options: .init(.answer(model: "m")))
    for (code, text) in [
      (StatusCode.unavailable, "upstream connect error"),
      (.unavailable, "Server exiting"), (.unavailable, "'m' is not at ready state"),
      (.notFound, "Request for unknown model: 'm' has no available versions"),
      (.invalidArgument, "Request for unknown model: 'm' is not found"),
    ] {
      let script = Script.answer(model: "m").failing(5, code, text)
      let result = try await client.infer(Self.request, options: .init(script))
      #expect(result.modelName == "m", "\(text)")
    }
    #expect(client.statistics.retries == 25)
    await client.close()
  }

  @Test("A model that never answered is not waited for, and its class says that it may come")
  func neverThere() async throws {
    let server = try await EchoServer()
    let client = try TritonClient(server.address, configuration: Self.patient())
    _ = try await client.infer(Self.request, options: .init(.answer(model: "m")))
    let script = Script.answer(model: "x").failing(
      99, .notFound, "Request for unknown model: 'x' has no available versions")
    let error = await #expect(throws: TritonError.self) {
      try await client.infer(InferRequest("x", inputs: []), options: .init(script))
    }
    #expect(error?.code == .notReady)
    await client.close()
  }

  @Test("Bug: CANCELLED, ABORTED and INTERNAL that nobody asked for are tried again")
  func unasked() async throws {
    let server = try await EchoServer()
    let client = try TritonClient(server.address)
    for code in [StatusCode.cancelled, .aborted, .internalError] {
      let script = Script.answer(model: "m").failing(2, code, "stream reset")
      let result = try await client.infer(Self.request, options: .init(script))
      #expect(result.modelName == "m", "\(code)")
      // A part of a sequence may have run.
      var part = Self.request
      part.sequence = .init(id: .number(1), starts: true)
      let sent = part
      let error = await #expect(throws: TritonError.self) {
        try await client.infer(
          sent, options: .init(Script.answer(model: "m").failing(1, code, "stream reset")))
      }
      #expect(error?.status == code)
    }
    await client.close()
  }

  @Test("Bug: a server of a list that stops answering is left for another within the timeout")
  func stopped() async throws {
    let servers = [try await EchoServer(), try await EchoServer()]
    let client = try TritonClient(
      servers.map(\.address).joined(separator: ","),
      configuration: Self.patient {
        $0.channel.loadBalancing = .roundRobin
        $0.retry.attemptTimeout = .milliseconds(400)
      })
    let options = CallOptions(.answer(model: "m"))
    for _ in 0..<4 { _ = try await client.infer(Self.request, options: options) }
    servers[1].pause()
    for _ in 0..<20 { _ = try await client.infer(Self.request, options: options) }
    #expect(client.statistics.failed == [:])
    // It costs one attempt, and not every second call one.
    #expect(client.statistics.retries < 5)
    servers[1].resume()
    await client.close()
  }

  @Test("Bug: a deadline on one server of a list leaves the other its whole timeout")
  func deadlineElsewhere() async throws {
    let servers = [try await EchoServer(), try await EchoServer()]
    let client = try TritonClient(
      servers.map(\.address).joined(separator: ","),
      configuration: Self.patient { $0.timeout = .milliseconds(500) })
    servers[0].pause()
    let result = try await client.infer(Self.request, options: .init(.answer(model: "m")))
    #expect(result.modelName == "m" && client.statistics.retries == 1)
    servers[0].resume()
    await client.close()
  }

  @Test("A dead server of a list costs nothing, also when it was dead from the beginning")
  func deadMember() async throws {
    let servers = [try await EchoServer(), try await EchoServer()]
    servers[0].kill()
    let client = try TritonClient(
      servers.map(\.address).joined(separator: ","), configuration: Self.patient())
    #expect(client.serverCount == 2)
    // Not even a call that must not run twice is lost: it never left.
    var part = Self.request
    part.sequence = .init(id: .number(1), starts: true)
    let result = try await client.infer(part, options: .init(.answer(model: "m")))
    #expect(result.modelName == "m")
    for _ in 0..<10 {
      _ = try await client.infer(Self.request, options: .init(.answer(model: "m")))
    }
    #expect(client.statistics.failed == [:])
    await client.close()
  }

  @Test("Mutation: no retry is slept for that would begin after the deadline")
  func pastDeadline() async throws {
    let server = try await EchoServer()
    let client = try TritonClient(
      server.address,
      configuration: Self.patient {
        $0.timeout = .seconds(5)
        $0.retry.budget = 10
        ($0.retry.firstPause, $0.retry.longestPause) = (.seconds(36_000), .seconds(36_000))
      })
    let script = Script.answer(model: "m").failing(99, .unavailable, "Exceeds maximum queue size")
    let error = await #expect(throws: TritonError.self) {
      try await client.infer(Self.request, options: .init(script))
    }
    #expect(error?.code == .overload && client.statistics.retries == 0)
    await client.close()
  }

  @Test("Bug: a call that the caller's own close ends says so, and is not sent again")
  func closed() async throws {
    let server = try await EchoServer()
    let client = try TritonClient(server.address)
    var options = CallOptions(.answer(model: "m"))
    options.metadata.append("answer-delay", "60000")
    let call = Task { [options] in try await client.infer(Self.request, options: options) }
    while client.callsInFlight == 0 { await Task.yield() }
    await client.close()
    let error = await #expect(throws: TritonError.self) { try await call.value }
    #expect(error?.code == .cancelled && error?.message.contains("closed by its owner") == true)
    #expect(error?.remedy == nil && client.statistics.retries == 0)
  }

  @Test("A call that waits for its server ends with its task")
  func cancelled() async throws {
    let server = try await EchoServer()
    let client = try TritonClient(server.address, configuration: Self.patient())
    let options = CallOptions(.answer(model: "m"))
    _ = try await client.infer(Self.request, options: options)
    server.kill()
    let call = Task { try await client.infer(Self.request, options: options) }
    while client.statistics.retries < 2 { await Task.yield() }
    call.cancel()
    await #expect(throws: CancellationError.self) { try await call.value }
    await client.close()
  }
}
