import GRPCChannel
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct StreamTests {
  @Test func `Messages flow both ways in order, and the end is delivered`() async throws {
    let server = try await EchoServer()
    let channel = server.channel()
    let received = try await channel.bidirectional(.echo("EchoStream")) { stream in
      async let sending: Void = {
        for index in 0..<500 { try await stream.send(OutgoingMessage("\(index)")) }
        try await stream.finishSending()
      }()
      var received: [String] = []
      while let message = try await stream.receive() { received.append(message.text) }
      try await sending
      // The end stays the end.
      #expect(try await stream.receive() == nil)
      return received
    }
    #expect(received == (0..<500).map(String.init))
    await channel.close()
  }

  @Test func `One side asks, the other answers, turn by turn`() async throws {
    let server = try await EchoServer()
    let channel = server.channel()
    try await channel.bidirectional(.echo("EchoStream")) { stream in
      for index in 0..<100 {
        try await stream.send(OutgoingMessage("turn \(index)"))
        #expect(try await stream.receive()?.text == "turn \(index)")
      }
      try await stream.finishSending()
      #expect(try await stream.receive() == nil)
    }
    await channel.close()
  }

  @Test func `After half-closing, answers still come, and sending is refused here`() async throws {
    let server = try await EchoServer()
    let channel = server.channel()
    try await channel.bidirectional(.echo("Swallow")) { stream in
      for count in [0, 5, 70_000] { try await stream.send(OutgoingMessage(pattern(count))) }
      try await stream.finishSending()
      #expect(try await stream.receive()?.text == "3 70005")
      #expect(try await stream.receive() == nil)
      let error = await rpcError { try await stream.send(OutgoingMessage("late")) }
      #expect(error?.code == .failedPrecondition)
      #expect(error?.isLocal == true)
      #expect(await rpcError { try await stream.finishSending() }?.isLocal == true)
    }
    await channel.close()
  }

  @Test func `Many tasks send on one stream, and nothing is lost or doubled`() async throws {
    let server = try await EchoServer()
    let channel = server.channel()
    let words = try await channel.bidirectional(.echo("EchoStream")) { stream in
      async let sending: Void = withThrowingTaskGroup(of: Void.self) { group in
        for task in 0..<20 {
          group.addTask {
            for index in 0..<50 { try await stream.send(OutgoingMessage("\(task) \(index)")) }
          }
        }
        try await group.waitForAll()
        try await stream.finishSending()
      }
      var words: [String] = []
      while let message = try await stream.receive() { words.append(message.text) }
      try await sending
      return words
    }
    #expect(words.count == 1_000)
    #expect(Set(words).count == 1_000)
    for task in 0..<20 {
      let own = words.filter { $0.hasPrefix("\(task) ") }
      #expect(own == (0..<50).map { "\(task) \($0)" })
    }
    await channel.close()
  }

  @Test(arguments: [0, 1, 7, 300])
  func `An error after some messages is thrown behind the last of them`(_ count: Int) async throws {
    let server = try await EchoServer()
    let channel = server.channel()
    let options = RPCOptions.metadata(["trailing-reason": "enough"])
    let error = await rpcError {
      try await channel.bidirectional(.echo("Messages"), options: options) { stream in
        try await stream.send(OutgoingMessage("\(count) 9 not any more"))
        for index in 0..<count {
          let text = try await stream.receive()?.text
          guard text == "\(index)" else {
            Issue.record("message \(index) is \(text ?? "the end")")
            return
          }
        }
        while try await stream.receive() != nil { Issue.record("there is one message too many") }
      }
    }
    #expect(error?.code == .failedPrecondition)
    #expect(error?.message == "not any more")
    #expect(error?.trailingMetadata["trailing-reason"] == "enough")
    await channel.close()
  }

  @Test func `Messages that are read late are all there, and then the end`() async throws {
    let server = try await EchoServer()
    let channel = server.channel()
    try await channel.bidirectional(.echo("Messages")) { stream in
      try await stream.send(OutgoingMessage("2000 0"))
      // The last one is on its way before the first is read.
      #expect(try await channel.ask("Echo", "meanwhile") == "meanwhile")
      var count = 0
      while let message = try await stream.receive() {
        #expect(message.text == "\(count)")
        count += 1
      }
      #expect(count == 2_000)
    }
    await channel.close()
  }

  @Test func `A server that ends before it has read ends the senders too`() async throws {
    let server = try await EchoServer()
    let channel = server.channel()
    let error = try await channel.bidirectional(.echo("EarlyEnd")) { stream in
      let end = try await stream.receive()
      #expect(end == nil)
      return await rpcError {
        while true { try await stream.send(OutgoingMessage("into the void")) }
      }
    }
    #expect(error?.code == .failedPrecondition)
    await channel.close()
  }

  @Test func `What the body throws comes out, and its stream is cancelled`() async throws {
    struct Own: Error {}
    let server = try await EchoServer()
    let channel = server.channel()
    await #expect(throws: Own.self) {
      try await channel.bidirectional(.echo("Deaf")) { _ in throw Own() }
    }
    #expect(channel.callsInFlight == 0)
    await channel.close()
  }

  @Test func `A stream that escapes its scope has ended and can start nothing`() async throws {
    let server = try await EchoServer()
    let channel = server.channel()
    let escaped = try await channel.bidirectional(.echo("EchoStream")) { stream in
      try await stream.send(OutgoingMessage("one"))
      return stream
    }
    #expect(await rpcError { try await escaped.receive() }?.code == .cancelled)
    #expect(await rpcError { try await escaped.send(OutgoingMessage("x")) }?.code == .cancelled)
    escaped.cancel()
    await channel.close()
    #expect(await rpcError { try await escaped.receive() }?.code == .cancelled)
  }
}
