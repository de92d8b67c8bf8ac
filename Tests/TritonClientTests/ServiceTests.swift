import TestSupport
import Testing
import Triton

/// What services do with the client; this file imports nothing else of it but `Triton`.
@Suite(.timeLimit(.minutes(1))) struct ServiceTests {
  private static let request = InferRequest("m", inputs: [])

  /// Keeps state of its own, which closures of the client may touch.
  private actor Counter {
    private var answers = 0

    func countStream(_ client: TritonClient) async throws -> Int {
      try await client.stream(options: .init(.streamed(model: "m"))) { stream in
        try await stream.send(ServiceTests.request)
        for try await answer in stream {
          _ = try answer.get()
          answers += 1
        }
      }
      return answers
    }

    func countRegistrations(_ client: TritonClient, _ region: SystemRegion) async throws -> Int {
      try await region.withRegistration(at: client) { answers += 1 }
      return answers
    }

    func countEchoes(_ channel: Channel) async throws -> Int {
      try await channel.bidirectional(RPCMethod(service: "test.Echo", name: "EchoStream")) { call in
        try await call.send(OutgoingMessage([1, 2]))
        try await call.finishSending()
        while try await call.receive() != nil { answers += 1 }
      }
      return answers
    }
  }

  @Test("An actor counts a stream's answers in the stream's closure")
  func actorCounts() async throws {
    let server = try await EchoServer()
    try await TritonClient.with(server.address) { client in
      #expect(try await Counter().countStream(client) == 1)
      let region = try SystemRegion(byteCount: 64)
      #expect(try await Counter().countRegistrations(client, region) == 1)
    }
    let channel = Channel(try Target(server.address))
    #expect(try await Counter().countEchoes(channel) == 1)
    await channel.close()
  }

  @Test("The main actor counts a stream's answers in the stream's closure")
  @MainActor func mainActorCounts() async throws {
    let server = try await EchoServer()
    let seen = Seen()
    try await TritonClient.with(server.address) { client in
      try await client.stream(options: .init(.streamed(model: "m"))) { stream in
        try await stream.send(Self.request)
        for try await answer in stream { seen.models.append(try answer.get().modelName) }
      }
    }
    #expect(seen.models == ["m"])
  }

  @MainActor private final class Seen { var models: [String] = [] }

  @Test("Headers and trailers of an answer and of a stream are readable")
  func metadataIsReadable() async throws {
    let server = try await EchoServer()
    let client = try TritonClient(server.address)
    var options = CallOptions(.answer(model: "m"))
    options.metadata.append("initial-zone", "a")
    options.metadata.append("trailing-cost", "7")
    let result = try await client.infer(Self.request, options: options)
    #expect(result.headers["initial-zone"] == "a")
    #expect(result.trailers["trailing-cost"] == "7")
    options = CallOptions(.streamed(model: "m"))
    options.metadata.append("initial-zone", "b")
    options.metadata.append("trailing-cost", "8")
    let (zone, cost) = try await client.stream(options: options) { stream in
      try await stream.send(Self.request)
      for try await answer in stream { _ = try answer.get() }
      return (await stream.headers()["initial-zone"], await stream.trailers()["trailing-cost"])
    }
    #expect(zone == "b" && cost == "8")
    await client.close()
  }

  @Test("A failed call's trailers come with its error")
  func trailersOfFailure() async throws {
    let server = try await EchoServer()
    let client = try TritonClient(server.address)
    var options = CallOptions(
      Script.answer(model: "m").failing(9, .invalidArgument, "no", after: 0))
    options.metadata.append("trailing-reason", "quota")
    let error = await #expect(throws: TritonError.self) {
      try await client.infer(Self.request, options: options)
    }
    #expect(error?.trailers["trailing-reason"] == "quota")
    await client.close()
  }

  /// A client without a server, for a service's own tests.
  private struct Rehearsed: InferenceClient {
    func infer(_ request: InferRequest, options: CallOptions) async throws -> InferResult {
      InferResult(
        modelName: request.modelName,
        outputs: [
          OutputTensor("sum", shape: [2], [3, 4] as [Int32]),
          OutputTensor("words", shape: [1], strings: ["好"]),
        ])
    }
    func isReady(options: CallOptions) async throws -> Bool { true }
    func isModelReady(_ name: String, version: String, options: CallOptions) async throws -> Bool {
      name == "m"
    }
  }

  @Test("A service is tested with a client that has no server")
  func rehearsed() async throws {
    func total(_ client: some InferenceClient) async throws -> Int32 {
      guard try await client.isModelReady("m") else { return 0 }
      return try await client.infer(Self.request).output("sum").array(of: Int32.self).reduce(0, +)
    }
    #expect(try await total(Rehearsed()) == 7)
    let words = try await Rehearsed().infer(Self.request).output("words").strings()
    #expect(words == ["好"])
  }

  @Test("What the client is set up with is named by import Triton alone")
  func names() throws {
    var configuration = TritonClient.Configuration()
    configuration.channel.tls = TLSConfiguration(
      identity: .init(certificateChain: "chain", privateKey: "key"))
    configuration.channel.loadBalancing = .roundRobin
    configuration.metadata = ["a": "b"]
    configuration.compression = Compression.gzip
    let bytes = SharedBytes([1, 2] as [Int32])
    #expect(InferInput("x", .int32, shape: [2], bytes: bytes).shape == [2])
    #expect(StatusCode.ok.rawValue == 0)
    #expect(throws: Target.Invalid.self) { try TritonClient("", configuration: configuration) }
  }

  @Test("Empty messages and tensors compile without a type beside them")
  func emptyLiterals() throws {
    #expect(OutgoingMessage([]).count == 0)
    #expect(BytesTensor.encode([]).isEmpty)
    #expect(try BytesTensor.decode([], count: 0).isEmpty)
    #expect(InferInput("x", shape: [0], strings: []).datatype == .bytes)
  }

  @Test("BYTES are written to and read from a part of shared memory")
  func bytesInRegion() throws {
    let region = try SystemRegion(byteCount: 256)
    let lease = try #require(region.lease(20))
    let words: [[UInt8]] = [[1, 2, 3], [], [4]]
    let written = try lease.withBytes { try BytesTensor.encode(words, into: $0) }
    #expect(written == BytesTensor.byteCount(of: words))
    let read = try lease.withBytes {
      try BytesTensor.decode(UnsafeRawBufferPointer(rebasing: $0[..<written]), count: 3)
    }
    #expect(read == words)
    let error = #expect(throws: TritonError.self) {
      try lease.withBytes { _ = try BytesTensor.encode(words + words, into: $0) }
    }
    #expect(error?.code == .invalidRequest)
  }
}
