import GRPCChannel
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct UnaryTests {
  @Test func `A call brings its answer, whatever its length`() async throws {
    let server = try await EchoServer()
    let channel = server.channel()
    for count in [0, 1, 22, 23, 24, 255, 65_535, 65_536, 1_000_003] {
      let bytes = pattern(count)
      let answer = try await channel.unary(.echo("Echo"), OutgoingMessage(bytes))
      #expect(answer.message.count == count)
      #expect(answer.message.bytes == bytes)
    }
    await channel.close()
  }

  @Test func `A message of pieces arrives as one, and can be sent again`() async throws {
    let server = try await EchoServer()
    let channel = server.channel()
    let parts = [pattern(5), pattern(0), pattern(300_000), pattern(23)]
    let message = OutgoingMessage(pieces: [
      .copied(parts[0]), .shared(SharedBytes(parts[1])), .shared(SharedBytes(parts[2])),
      .copied(parts[3]),
    ])
    for _ in 0..<3 {
      let answer = try await channel.unary(.echo("Echo"), message)
      #expect(answer.message.bytes == parts.flatMap(\.self))
    }
    await channel.close()
  }

  @Test func `Lent memory is released once, after the message and its last call`() async throws {
    let server = try await EchoServer()
    let channel = server.channel()
    let (released, announce) = AsyncStream.makeStream(of: Int.self)
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    memory.initializeMemory(as: UInt8.self, repeating: 7)
    func send() async throws -> Int {
      let lent = SharedBytes(lending: memory) { _ in announce.yield(1) }
      return try await channel.unary(.echo("Echo"), OutgoingMessage(pieces: [.shared(lent)]))
        .message.count
    }
    #expect(try await send() == 1 << 20)
    var iterator = released.makeAsyncIterator()
    #expect(await iterator.next() == 1)
    memory.deallocate()
    announce.finish()
    #expect(await iterator.next() == nil)
    await channel.close()
  }

  @Test func `A status comes with its code, its text and its trailers`() async throws {
    let server = try await EchoServer()
    let channel = server.channel()
    for code in 1...16 as ClosedRange<Int32> {
      let metadata: Metadata = ["trailing-word": "number \(code)"]
      let error = await rpcError {
        try await channel.ask("Fail", "\(code) für \(code)", .metadata(metadata))
      }
      #expect(error?.code == StatusCode(rawValue: code))
      #expect(error?.message == "für \(code)")
      #expect(error?.method == "/test.Echo/Fail")
      #expect(error?.trailingMetadata["trailing-word"] == "number \(code)")
      #expect(error?.isLocal == false)
    }
    await channel.close()
  }

  @Test func `OK without an answer is the server's fault, said in so many words`() async throws {
    let server = try await EchoServer()
    let channel = server.channel()
    let error = await rpcError { try await channel.ask("Empty", "") }
    #expect(error?.code == .internalError)
    await channel.close()
  }

  @Test func `A method that is not there is UNIMPLEMENTED`() async throws {
    let server = try await EchoServer()
    let channel = server.channel()
    let error = await rpcError { try await channel.ask("Nothing", "") }
    #expect(error?.code == .unimplemented)
    await channel.close()
  }

  @Test func `Thousands of calls at once each get their own answer`() async throws {
    let server = try await EchoServer()
    let channel = server.channel()
    let answers = try await withThrowingTaskGroup(of: (Int, String).self) { group in
      for index in 0..<3_000 {
        group.addTask { (index, try await channel.ask("Echo", "call \(index)")) }
      }
      return try await group.reduce(into: [Int: String]()) { $0[$1.0] = $1.1 }
    }
    #expect(answers.count == 3_000)
    #expect(answers.allSatisfy { $0.value == "call \($0.key)" })
    #expect(channel.callsInFlight == 0)
    await channel.close()
  }

  @Test func `The peer that answered is named`() async throws {
    let server = try await EchoServer()
    let channel = server.channel()
    let answer = try await channel.unary(.echo("Echo"), OutgoingMessage("x"))
    #expect(answer.peer.hasSuffix("127.0.0.1:\(server.port)"))
    await channel.close()
  }
}
