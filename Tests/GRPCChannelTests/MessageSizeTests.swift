import GRPCChannel
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct MessageSizeTests {
  @Test func `Messages far above the core's own 4 MiB limit pass, whole, both ways`() async throws {
    let server = try await EchoServer()
    // Arguments of the user's own do not bring the limit back.
    var configuration = ChannelConfiguration()
    configuration.arguments["grpc.primary_user_agent"] = .string("test")
    let channel = server.channel(configuration)
    let count = 40_000_001
    let answer = try await channel.unary(.echo("Large"), OutgoingMessage("\(count)"))
    #expect(answer.message.count == count)
    #expect(answer.message.bytes == pattern(count))
    let large = OutgoingMessage(pieces: [.shared(SharedBytes(pattern(20_000_003)))])
    let length = try await channel.unary(.echo("Length"), large)
    #expect(length.message.text == "20000003 0")
    await channel.close()
  }

  @Test func `A server's limit is an error of its own, and nothing is cut`() async throws {
    let server = try await EchoServer("--limit", "1000")
    let channel = server.channel()
    #expect(
      try await channel.unary(.echo("Length"), OutgoingMessage(pattern(1_000))).message.text
        == "1000 0")
    let error = await rpcError {
      try await channel.unary(.echo("Length"), OutgoingMessage(pattern(1_001)))
    }
    #expect(error?.code == .resourceExhausted)
    await channel.close()
  }

  @Test("Bug: a message above maximumReceivedMessageBytes is refused, one of that length is not")
  func receivedBound() async throws {
    let server = try await EchoServer()
    var configuration = ChannelConfiguration()
    configuration.maximumReceivedMessageBytes = 1_000
    let channel = server.channel(configuration)
    let received = try await channel.unary(.echo("Large"), OutgoingMessage("1000"))
    #expect(received.message.count == 1_000)
    let tooLong = await rpcError { try await channel.ask("Large", "1001") }
    #expect(tooLong?.code == .resourceExhausted)
    await channel.close()
  }

  @Test func `A limit that the user sets holds in both directions`() async throws {
    let server = try await EchoServer()
    var configuration = ChannelConfiguration()
    configuration.arguments["grpc.max_receive_message_length"] = .integer(1_000)
    configuration.arguments["grpc.max_send_message_length"] = .integer(2_000)
    let channel = server.channel(configuration)
    let received = try await channel.unary(.echo("Large"), OutgoingMessage("1000"))
    #expect(received.message.count == 1_000)
    let tooLong = await rpcError { try await channel.ask("Large", "1001") }
    #expect(tooLong?.code == .resourceExhausted)
    let tooLarge = await rpcError {
      try await channel.unary(.echo("Length"), OutgoingMessage(pattern(2_001)))
    }
    #expect(tooLarge?.code == .resourceExhausted)
    await channel.close()
  }

  @Test(arguments: Compression.allCases)
  func `Compressed requests arrive as they were`(_ compression: Compression) async throws {
    let server = try await EchoServer()
    let channel = server.channel()
    var options = RPCOptions()
    options.compression = compression
    for count in [0, 10, 1_000_000] {
      let answer = try await channel.unary(
        .echo("Echo"), OutgoingMessage(pattern(count)), options: options)
      #expect(answer.message.bytes == pattern(count))
    }
    await channel.close()
  }

  @Test(arguments: zip(Compression.allCases, [0, 2, 1]))
  func `Compression reaches the wire`(_ compression: Compression, _ algorithm: Int) async throws {
    // This server leaves messages as they come and tells their length and the core's number of
    // their algorithm.
    let server = try await EchoServer("--raw")
    let channel = server.channel()
    var options = RPCOptions()
    options.compression = compression
    let zeros = OutgoingMessage([UInt8](repeating: 0, count: 1_000_000))
    let words = try await channel.unary(.echo("Length"), zeros, options: options).message.text
      .split(separator: " ").compactMap { Int($0) }
    #expect(words.last == algorithm)
    #expect(compression == .none ? words.first == 1_000_000 : words[0] < 10_000)
    await channel.close()
  }

  @Test func `Compressed answers arrive as they were`() async throws {
    let server = try await EchoServer()
    let channel = server.channel()
    for count in [1, 100, 3_000_000] {
      let answer = try await channel.unary(.echo("EchoCompressed"), OutgoingMessage(pattern(count)))
      #expect(answer.message.bytes == pattern(count))
    }
    await channel.close()
  }
}
