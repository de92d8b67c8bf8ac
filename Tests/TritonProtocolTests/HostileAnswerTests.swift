import GRPCChannel
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Triton

/// Answers that lie about numbers, names or sizes.
@Suite(.timeLimit(.minutes(1))) struct HostileAnswerTests {
  private static func metadata(_ shape: [Int64]) -> ProtobufMessage {
    let tensor = ProtobufMessage([
      "name": .string("x"), "datatype": .string("INT64"),
      "shape": .list(shape.map { .signed($0) }),
    ])
    return ProtobufMessage(["name": .string("m"), "inputs": .list([.message(tensor)])])
  }

  @Test("Bug: metadata with shapes that no tensor has is refused with the shape")
  func shapes() throws {
    for shape in [
      [-2], [.min], [-1, -5], [.max, 2], [1 << 31, 1 << 32, 2], [-1, .max, .max],
    ] as [[Int64]] {
      let fault = #expect(throws: ProtobufFault.self, "\(shape)") {
        try ModelMetadata(Self.metadata(shape))
      }
      #expect(fault?.description.contains("impossible shape") == true)
    }
    for shape in [[], [-1, -1], [0, 5], [.max], [-1, 1 << 31]] as [[Int64]] {
      #expect(try ModelMetadata(Self.metadata(shape)).inputs[0].shape == shape.map(Int.init))
    }
  }

  private static func configuration(_ fields: [String: ProtobufValue]) throws
    -> ServedModelConfiguration
  {
    try ServedModelConfiguration(ProtobufMessage(fields))
  }

  private static func group(_ count: Int64, gpus: Int = 0) -> ProtobufValue {
    let gpus = ProtobufValue.list((0..<gpus).map { .signed(Int64($0)) })
    return .message(ProtobufMessage(["count": .signed(count), "gpus": gpus]))
  }

  @Test("Bug: counts of instances and rows that no configuration has are refused")
  func configurations() throws {
    for groups in [
      [Self.group(.init(Int32.max))], [Self.group(-1)], [Self.group(70_000)],
      [Self.group(40_000, gpus: 2)], Array(repeating: Self.group(60_000), count: 1_000),
    ] {
      #expect(throws: ProtobufFault.self) {
        try Self.configuration(["instance_group": .list(groups)])
      }
    }
    #expect(throws: ProtobufFault.self) { try Self.configuration(["max_batch_size": .signed(-1)]) }
    let good = try Self.configuration([
      "instance_group": .list([Self.group(2, gpus: 3), Self.group(0)])
    ])
    #expect(good.instances == 7)
  }

  @Test("Fields that Protos lack are counted by place and number")
  func unknownFields() throws {
    // Field 1000 of the configuration, and field 500 in its dynamic_batching (field 11).
    let inner: [UInt8] = [0xA0, 0x1F, 1]
    let bytes: [UInt8] = [0xC0, 0x3E, 7] + [11 << 3 | 2, UInt8(inner.count)] + inner
    let wrapped: [UInt8] = [1 << 3 | 2, UInt8(bytes.count)] + bytes
    let answer = try ProtobufMessage(unpacking: wrapped, as: RPC.modelConfig.response)
    let config = try #require(answer.message("config"))
    let served = try ServedModelConfiguration(config)
    #expect(served.unknownFields == ["1000", "dynamic_batching.500"])
    #expect(try Self.configuration([:]).unknownFields.isEmpty)
  }

  private static func answer(_ model: String, _ version: String, _ id: String) -> CallOptions {
    let message = ProtobufMessage([
      "model_name": .string(model), "model_version": .string(version), "id": .string(id),
    ])
    return answering(message.packed(as: RPC.modelInfer.response))
  }

  private static func answering(_ bytes: [UInt8]) -> CallOptions {
    var options = CallOptions()
    options.metadata.append("answer-bin", bytes: bytes)
    return options
  }

  @Test("Bug: an answer of another model, version or request is none")
  func others() async throws {
    let server = try await EchoServer()
    let client = try TritonClient(server.address)
    var request = InferRequest("m", inputs: [])
    (request.modelVersion, request.id) = ("2", "r")
    let sent = request
    let result = try await client.infer(sent, options: Self.answer("m", "2", "r"))
    #expect(result.id == "r")
    for (options, words) in [
      (Self.answer("n", "2", "r"), "model \"n\", asked was \"m\""),
      (Self.answer("m", "1", "r"), "version \"1\", asked was \"2\""),
      (Self.answer("m", "2", "s"), "request \"s\", asked was \"r\""),
    ] {
      let error = await #expect(throws: TritonError.self) {
        try await client.infer(sent, options: options)
      }
      #expect(error?.code == .serverBug && error?.message.contains(words) == true, "\(error!)")
    }
    let streamed = ProtobufMessage([
      "infer_response": .message(ProtobufMessage(["model_name": .string("n")]))
    ]).packed(as: RPC.modelStreamInfer.response)
    let error = await #expect(throws: TritonError.self) {
      try await client.stream(options: Self.answering(streamed)) { stream in
        try await stream.send(sent)
        for try await answer in stream { _ = try answer.get() }
      }
    }
    #expect(error?.code == .serverBug && error?.message.contains("\"n\"") == true)
    await client.close()
  }

  @Test("Bug: metadata and configuration of another model are none")
  func otherMetadata() async throws {
    let server = try await EchoServer()
    let client = try TritonClient(server.address)
    let metadata = Self.metadata([1]).packed(as: RPC.modelMetadata.response)
    #expect(try await client.modelMetadata("m", options: Self.answering(metadata)).name == "m")
    let config = ProtobufMessage([
      "config": .message(ProtobufMessage(["name": .string("m")]))
    ]).packed(as: RPC.modelConfig.response)
    _ = try await client.modelConfiguration("m", options: Self.answering(config))
    for body in [
      { _ = try await client.modelMetadata("n", options: Self.answering(metadata)) },
      { _ = try await client.modelMetadata("m", version: "9", options: Self.answering(metadata)) },
      { _ = try await client.modelConfiguration("n", options: Self.answering(config)) },
    ] as [() async throws -> Void] {
      let error = await #expect(throws: TritonError.self) { try await body() }
      #expect(error?.code == .serverBug)
    }
    await client.close()
  }

  @Test("Bug: an answer longer than the bound is refused, and the remedy names the bound")
  func bound() async throws {
    let server = try await EchoServer()
    var configuration = TritonClient.Configuration()
    configuration.channel.maximumReceivedMessageBytes = 64
    let client = try TritonClient(server.address, configuration: configuration)
    let model = String(repeating: "m", count: 100)
    let error = await #expect(throws: TritonError.self) {
      try await client.infer(InferRequest(model, inputs: []), options: Self.answer(model, "1", ""))
    }
    #expect(error?.code == .size && error?.remedy?.contains("maximumReceivedMessageBytes") == true)
    #expect(TritonClient.maximumControlMessageBytes == 64 << 20)
    await client.close()
  }

  @Test("Bug: a NUL in a name, an id or a parameter is refused before sending")
  func nul() async throws {
    let client = try TritonClient("127.0.0.1:1")
    let region = SharedMemorySlice(region: "r\0", byteCount: 4)
    let good = InferInput("x", shape: [1], [Int32(1)])
    var requests = (0..<3).map { _ in InferRequest("m", inputs: [good]) }
    requests[0].id = "a\0b"
    requests[1].modelVersion = "\0"
    requests[2].parameters = ["key": .string("\0")]
    requests += [
      InferRequest("m\0", inputs: [good]),
      InferRequest("m", inputs: [InferInput("x\0", shape: [1], [Int32(1)])]),
      InferRequest("m", inputs: [InferInput("x", .int32, shape: [1], region: region)]),
      InferRequest("m", inputs: [good], outputs: [RequestedOutput("y\0")]),
      InferRequest("m", inputs: [good], outputs: [RequestedOutput("y", region: region)]),
    ]
    for request in requests {
      let error = await #expect(throws: TritonError.self) { try await client.infer(request) }
      #expect(error?.code == .invalidRequest && error?.message.contains("NUL") == true)
    }
    // A BYTES tensor is no text: it may hold any byte.
    let bytes = InferRequest("m", inputs: [InferInput("x", shape: [1], bytes: [[0]])])
    #expect(throws: Never.self) { try bytes.validate() }
    await client.close()
  }

  @Test("Numbers of shared memory that cannot be are refused and do not trap")
  func impossibleRegions() async throws {
    let client = try TritonClient("127.0.0.1:1")
    let slice = SharedMemorySlice(region: "r", offset: -1, byteCount: 4)
    let input = InferInput("x", .int32, shape: [1], region: slice)
    for body in [
      { try await client.registerSystemSharedMemory("r", key: "/r", offset: -1, byteCount: 4) },
      { try await client.registerSystemSharedMemory("r", key: "/r", byteCount: -4) },
      { try await client.registerCUDASharedMemory("r", handle: [], device: -1, byteCount: 4) },
      { _ = try await client.infer(InferRequest("m", inputs: [input])) },
      {
        _ = try await client.infer(
          InferRequest("m", inputs: [], outputs: [RequestedOutput("y", region: slice)]))
      },
    ] as [() async throws -> Void] {
      let error = await #expect(throws: TritonError.self) { try await body() }
      #expect(error?.code == .invalidRequest, "\(error!)")
    }
    #expect(Duration.seconds(Int64.max).microseconds == .max)
    await client.close()
  }
}

/// What the client tells a log.
@Suite(.timeLimit(.minutes(1))) struct LogTests {
  /// Keeps all lines.
  private final class Book: Sendable {
    let lines = Mutex<[String]>([])
    var text: String { lines.withLock { $0.joined(separator: "\n") } }
  }

  private struct Handler: LogHandler {
    let book: Book
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }
    func log(event: LogEvent) {
      let line = "\(event.level) \(event.message) \(event.metadata ?? [:])"
      book.lines.withLock { $0.append(line) }
    }
  }

  @Test("A server that goes away and comes back is told once each, without a header")
  func absence() async throws {
    let server = try await EchoServer()
    let book = Book()
    var configuration = TritonClient.Configuration()
    configuration.logger = Logger(label: "test") { _ in Handler(book: book) }
    configuration.metadata = ["authorization": "Bearer s3cr3t"]
    let client = try TritonClient(server.address, configuration: configuration)
    let answer = ProtobufMessage(["model_name": .string("m")]).packed(as: RPC.modelInfer.response)
    var options = CallOptions()
    options.metadata.append("answer-bin", bytes: answer)
    let request = InferRequest("m", inputs: [])
    _ = try await client.infer(request, options: options)
    #expect(book.text.isEmpty)
    server.kill()
    let call = Task { [options] in try await client.infer(request, options: options) }
    while client.statistics.retries < 2 { await Task.yield() }
    try await server.restart()
    _ = try await call.value
    let lines = book.lines.withLock { $0 }
    #expect(lines.filter { $0.hasPrefix("warning server is away") }.count == 1, "\(book.text)")
    #expect(lines.filter { $0.hasPrefix("notice server is back") }.count == 1, "\(book.text)")
    #expect(lines.contains { $0.hasPrefix("debug call is tried again") })
    #expect(!book.text.contains("s3cr3t") && book.text.contains(server.address))
    await client.close()
  }
}
