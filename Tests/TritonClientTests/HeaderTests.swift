import Synchronization
import TestSupport
import Testing
import Triton

/// Headers that change and headers that are secret.
@Suite(.timeLimit(.minutes(1))) struct HeaderTests {
  private static let request = InferRequest("m", inputs: [])

  @Test("A provider is asked before each attempt, and anew once the server refused its headers")
  func refreshed() async throws {
    let server = try await EchoServer()
    let occasions = Mutex<[HeaderProvider.Occasion]>([])
    var configuration = TritonClient.Configuration()
    configuration.headerProvider = HeaderProvider { occasion in
      occasions.withLock { $0.append(occasion) }
      return ["initial-token": occasion == .refused ? "new" : "old"]
    }
    let client = try TritonClient(server.address, configuration: configuration)
    let script = Script.answer(model: "m").failing(1, .unauthenticated, "token expired")
    let result = try await client.infer(Self.request, options: .init(script))
    #expect(result.headers["initial-token"] == "new")
    #expect(occasions.withLock { $0 } == [.call, .refused])
    await client.close()
  }

  @Test("Headers that are refused twice are an error of authorization")
  func refusedTwice() async throws {
    let server = try await EchoServer()
    var configuration = TritonClient.Configuration()
    configuration.headerProvider = HeaderProvider { _ in ["authorization": "Bearer hush"] }
    let client = try TritonClient(server.address, configuration: configuration)
    let script = Script.answer(model: "m").failing(9, .unauthenticated, "who?")
    let error = await #expect(throws: TritonError.self) {
      try await client.infer(Self.request, options: .init(script))
    }
    #expect(error?.code == .authorization)
    #expect("\(error!)".contains("hush") == false)
    await client.close()
  }

  @Test("Mutation: headers of one call reach the server beside the client's")
  func headersOfOneCall() async throws {
    let server = try await EchoServer()
    var configuration = TritonClient.Configuration()
    configuration.metadata = ["initial-all": "client"]
    let client = try TritonClient(server.address, configuration: configuration)
    var options = CallOptions(.answer(model: "m"))
    options.metadata.append("initial-one", "call")
    let headers = try await client.infer(Self.request, options: options).headers
    #expect(headers["initial-all"] == "client" && headers["initial-one"] == "call")
    await client.close()
  }

  @Test("No description, dump or fault shows a header's value or a private key")
  func secretsStayHidden() {
    let secret = "Bearer s3cr3t"
    let metadata: Metadata = ["authorization": secret]
    let identity = TLSConfiguration.Identity(certificateChain: "c", privateKey: "s3cr3t")
    var configuration = TritonClient.Configuration()
    configuration.metadata = metadata
    configuration.channel.tls = TLSConfiguration(identity: identity)
    var dumped = ""
    dump(configuration, to: &dumped)
    let shown = [
      "\(metadata)", String(reflecting: metadata), "\(metadata.entries)", "\(configuration)",
      dumped,
      "\(identity)", String(reflecting: identity),
    ]
    for text in shown { #expect(!text.contains("s3cr3t"), "\(text)") }
    #expect("\(metadata)" == "[authorization: 13 bytes]")
    for key in ["authorization: Bearer s3cr3t", "s3cr3t!", ""] {
      let fault = Metadata([(key: key, value: "s3cr3t")]).fault
      #expect(fault != nil && fault?.contains("s3cr3t") == false)
    }
  }
}
