import GRPCChannel
import TestSupport
import Testing

/// Every way in which a call is ended early: by its deadline, its task or its channel.
@Suite(.timeLimit(.minutes(2))) struct EndingTests {
  @Test func `A deadline ends a call that the server does not answer`() async throws {
    let server = try await EchoServer()
    let channel = server.channel()
    let clock = ContinuousClock()
    for name in ["Silent", "Deaf"] {
      let start = clock.now
      let error = await rpcError { try await channel.ask(name, "", .timeout(.milliseconds(50))) }
      #expect(error?.code == .deadlineExceeded)
      #expect(clock.now - start >= .milliseconds(45))
      #expect(clock.now - start < .seconds(20))
    }
    #expect(try await channel.ask("Slow", "30", .timeout(.seconds(60))) == "30")
    await channel.close()
  }

  @Test func `A deadline ends a stream, its receiver and its senders`() async throws {
    let server = try await EchoServer()
    let channel = server.channel()
    let error = await rpcError {
      try await channel.bidirectional(.echo("Deaf"), options: .timeout(.milliseconds(100))) {
        stream in
        // More than the windows hold, so the senders wait.
        async let sending = rpcError {
          while true { try await stream.send(OutgoingMessage(pattern(1 << 20))) }
        }
        let received = await rpcError { try await stream.receive() }
        #expect(received?.code == .deadlineExceeded)
        #expect(await sending?.code == .deadlineExceeded)
        if let received { throw received }
      }
    }
    #expect(error?.code == .deadlineExceeded)
    await channel.close()
  }

  @Test func `A timeout below a millisecond is refused before anything is sent`() async throws {
    let channel = Channel(try Target("127.0.0.1:1"))
    for timeout in [Duration.zero, .microseconds(999), .seconds(-5)] {
      let error = await rpcError { try await channel.ask("Echo", "", .timeout(timeout)) }
      #expect(error?.code == .invalidArgument)
      #expect(error?.isLocal == true)
      let streamed = await rpcError {
        try await channel.bidirectional(.echo("Echo"), options: .timeout(timeout)) { _ in }
      }
      #expect(streamed?.isLocal == true)
    }
    await channel.close()
  }

  @Test func `A timeout of ages does not overflow`() async throws {
    let server = try await EchoServer()
    let channel = server.channel()
    #expect(try await channel.ask("Echo", "x", .timeout(.seconds(Int64.max / 2))) == "x")
    await channel.close()
  }

  @Test func `A call of a cancelled task is not made`() async throws {
    let channel = Channel(try Target("127.0.0.1:1"))
    let task = Task {
      await eventually("the task was not cancelled") { Task.isCancelled }
      await #expect(throws: CancellationError.self) { try await channel.ask("Echo", "") }
      await #expect(throws: CancellationError.self) {
        try await channel.bidirectional(.echo("EchoStream")) { _ in Issue.record("it was made") }
      }
    }
    task.cancel()
    await task.value
    await channel.close()
  }

  @Test func `Cancelling the task ends a call that waits for its answer`() async throws {
    let server = try await EchoServer()
    let channel = server.channel()
    let task = Task { try await channel.ask("Silent", "", .timeout(.seconds(600))) }
    await eventually("the call did not start") { channel.callsInFlight == 1 }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(channel.callsInFlight == 0)
    await channel.close()
  }

  @Test func `Cancelling a finished call does nothing`() async throws {
    let server = try await EchoServer()
    let channel = server.channel()
    let task = Task { try await channel.ask("Echo", "done") }
    #expect(try await task.value == "done")
    task.cancel()
    #expect(try await channel.ask("Echo", "next") == "next")
    await channel.close()
  }

  @Test func `Cancelling the task ends a stream, its receiver and its senders`() async throws {
    let server = try await EchoServer()
    let channel = server.channel()
    let (started, announce) = AsyncStream.makeStream(of: Void.self)
    let task = Task {
      try await channel.bidirectional(.echo("Deaf")) { stream in
        async let sending = thrown {
          while true { try await stream.send(OutgoingMessage(pattern(1 << 20))) }
        }
        announce.yield()
        await #expect(throws: CancellationError.self) { try await stream.receive() }
        let sent = await sending
        #expect(sent is CancellationError)
      }
    }
    var iterator = started.makeAsyncIterator()
    await iterator.next()
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(channel.callsInFlight == 0)
    await channel.close()
  }

  @Test func `Closing a channel ends its calls and refuses later ones`() async throws {
    let server = try await EchoServer()
    let channel = server.channel()
    let calls: [Task<RPCError?, Never>] = (0..<40).map { index in
      Task {
        await rpcError { () async throws -> String in
          guard index % 2 == 0 else { return try await channel.ask("Silent", "") }
          return try await channel.bidirectional(.echo("Deaf")) {
            try await $0.receive()?.text ?? "the end"
          }
        }
      }
    }
    await eventually("not all calls started") { channel.callsInFlight == 40 }
    await channel.close()
    #expect(channel.callsInFlight == 0)
    for call in calls { #expect(await call.value?.code == .cancelled) }
    let late = await rpcError { try await channel.ask("Echo", "") }
    #expect(late?.code == .unavailable)
    #expect(late?.isLocal == true)
    await channel.close()
  }

  @Test func `A channel that nobody closes goes with its last call`() async throws {
    let server = try await EchoServer()
    weak var seen: Channel?
    let answer: UnaryAnswer
    do {
      let channel = server.channel()
      seen = channel
      answer = try await channel.unary(.echo("Echo"), OutgoingMessage("kept"))
    }
    #expect(seen == nil)
    // The answer outlives channel and queue.
    #expect(answer.message.text == "kept")
    #expect(answer.initialMetadata.entries.isEmpty)
  }
}
