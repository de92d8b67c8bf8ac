import GRPCChannel
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct HeaderTests {
  /// What the test server sends back, as headers or as trailers.
  private let binary = (0...255).map { UInt8($0) }

  private func metadata(_ place: String) -> Metadata {
    var metadata: Metadata = ["\(place)-word": "plain text, with punctuation"]
    metadata.append("\(place)-Upper", "lower on the wire")
    metadata.append("\(place)-raw-bin", bytes: binary)
    metadata.append("\(place)-none-bin", bytes: [])
    metadata.append("\(place)-twice", "first")
    metadata.append("\(place)-twice", "second")
    return metadata
  }

  private func check(_ received: Metadata, _ place: String) {
    #expect(received["\(place)-word"] == "plain text, with punctuation")
    #expect(received["\(place)-upper"] == "lower on the wire")
    #expect(received.entries.first { $0.key == "\(place)-raw-bin" }?.value == binary)
    #expect(received.entries.first { $0.key == "\(place)-none-bin" }?.value == [])
    let twice = received.entries.filter { $0.key == "\(place)-twice" }
    #expect(twice.map { String(decoding: $0.value, as: UTF8.self) } == ["first", "second"])
  }

  @Test func `Headers and trailers go both ways, binary ones byte for byte`() async throws {
    let server = try await EchoServer()
    let channel = server.channel()
    var sent = metadata("initial")
    sent.append(metadata("trailing"))
    let answer = try await channel.unary(
      .echo("Echo"), OutgoingMessage("x"), options: .metadata(sent))
    check(answer.initialMetadata, "initial")
    check(answer.trailingMetadata, "trailing")
    #expect(answer.initialMetadata["trailing-word"] == nil)
    await channel.close()
  }

  @Test func `An error carries its trailers, binary ones too`() async throws {
    let server = try await EchoServer()
    let channel = server.channel()
    let error = await rpcError {
      try await channel.ask("Fail", "8 no", .metadata(metadata("trailing")))
    }
    if let error { check(error.trailingMetadata, "trailing") }
    await channel.close()
  }

  @Test func `Headers of an answer may be read long after the call`() async throws {
    let server = try await EchoServer()
    let channel = server.channel()
    let answer = try await channel.unary(
      .echo("Echo"), OutgoingMessage("x"), options: .metadata(metadata("initial")))
    await channel.close()
    server.kill()
    check(answer.initialMetadata, "initial")
    #expect(answer.peer.hasSuffix(":\(server.port)"))
  }

  @Test func `Illegal headers are refused before anything is sent`() async throws {
    let channel = Channel(try Target("127.0.0.1:1"))
    var illegal = ["", "sp ace", "colon:", "ümlaut", "new\nline", "nul\0"].map { key in
      Metadata([(key: key, value: "x")])
    }
    illegal += ["line\nbreak", "ünicode", "\u{7F}", "tab\t"].map { ["key": $0] }
    for metadata in illegal {
      #expect(metadata.fault != nil)
      let error = await rpcError { try await channel.ask("Echo", "", .metadata(metadata)) }
      #expect(error?.code == .invalidArgument)
      #expect(error?.isLocal == true)
    }
    await channel.close()
  }

  @Test func `Every legal key and value passes gRPC's own check`() async throws {
    let server = try await EchoServer()
    let channel = server.channel()
    var metadata = Metadata()
    metadata.append("initial-abcdefghijklmnopqrstuvwxyz0123456789-_.", "x")
    let printable = (0x21...0x7E).map { UInt8($0) }
    metadata.append("initial-all", bytes: printable)
    #expect(metadata.fault == nil)
    let answer = try await channel.unary(
      .echo("Echo"), OutgoingMessage("x"), options: .metadata(metadata))
    #expect(answer.initialMetadata.entries.contains { $0.value == printable })
    #expect(answer.initialMetadata["initial-abcdefghijklmnopqrstuvwxyz0123456789-_."] == "x")
    await channel.close()
  }

  @Test func `Names that gRPC keeps for itself are refused`() {
    // The core would drop or overwrite them without a word.
    for key in ["grpc-timeout", "Grpc-Encoding", "user-agent", "content-length", "te"] {
      #expect(Metadata([(key: key, value: "x")]).fault?.contains("itself") == true, "\(key)")
    }
    #expect(Metadata([(key: "grpc-trace-bin", value: "x")]).fault == nil)
  }
}
