import Testing
import Triton

/// What a server says of itself and its models, one test a method of the service.
@Suite(.timeLimit(.minutes(3))) struct ServerCallTests {
  @Test func `A server is live, ready and serving`() async throws {
    let client = try await Servers.main()
    #expect(try await client.isLive())
    #expect(try await client.isReady())
    #expect(try await client.health() == .serving)
    try await client.waitUntilReady(model: "sum", timeout: .seconds(20))
  }

  @Test func `A model is ready, an unknown one and one that failed to load are not`() async throws {
    let client = try await Servers.main()
    #expect(try await client.isModelReady("sum"))
    #expect(try await client.isModelReady("sum", version: "1"))
    #expect(try await !client.isModelReady("sum", version: "7"))
    #expect(try await !client.isModelReady("nobody"))
    #expect(try await !client.isModelReady("failing"))
  }

  @Test func `The server tells its version and extensions`() async throws {
    let metadata = try await Servers.main().serverMetadata()
    #expect(metadata.name == "triton")
    #expect(metadata.version.hasPrefix("2."))
    #expect(metadata.extensions.contains("system_shared_memory"))
  }

  @Test func `A model's tensors come with their full shapes`() async throws {
    let metadata = try await Servers.main().modelMetadata("spo_dense")
    #expect(metadata.name == "spo_dense" && metadata.versions == ["1"])
    #expect(
      metadata.inputs.first { $0.name == "INPUT__1" }
        == ModelMetadata.Tensor(name: "INPUT__1", datatype: "INT64", shape: [-1, -1]))
    #expect(
      metadata.outputs.first { $0.name == "OUTPUT__2" }
        == ModelMetadata.Tensor(name: "OUTPUT__2", datatype: "FP32", shape: [-1, -1, -1, -1]))
  }

  @Test func `A model's configuration is read whole`() async throws {
    let client = try await Servers.main()
    let slow = try await client.modelConfiguration("slow")
    #expect(slow.maxBatchSize == 1 && slow.instances == 1 && slow.maxQueueSize == 2)
    #expect(slow.hasDynamicBatching && !slow.isDecoupled && !slow.isSequence)
    #expect(slow.backend == "python")
    #expect(slow.json.contains("allow_timeout_override"))
    #expect(try await client.modelConfiguration("repeat").isDecoupled)
    #expect(try await client.modelConfiguration("sequence").isSequence)
    #expect(try await client.modelConfiguration("dependent").steps == ["sum", "sum"])
  }

  @Test func `Statistics count the rows of every request`() async throws {
    let client = try await Servers.main()
    func rows() async throws -> Int {
      try await client.modelStatistics("answer").reduce(0) { $0 + $1.inferences }
    }
    let before = try await rows()
    let input = InferInput("COUNT", shape: [1], [Int32(8)])
    for _ in 0..<3 { _ = try await client.infer(InferRequest("answer", inputs: [input])) }
    // Other tests may call the model meanwhile.
    #expect(try await rows() >= before + 3)
    let all = try await client.modelStatistics()
    #expect(all.contains { $0.name == "sum" } && all.contains { $0.name == "slow" })
  }

  @Test func `Trace settings are told, changed and put back`() async throws {
    let client = try await Servers.main()
    let before = try await client.traceSettings(model: "sum")
    #expect(before["trace_rate"] == ["1000"])
    let changed = try await client.updateTraceSettings(["trace_rate": ["250"]], model: "sum")
    #expect(changed["trace_rate"] == ["250"])
    let back = try await client.updateTraceSettings(["trace_rate": []], model: "sum")
    #expect(back["trace_rate"] == before["trace_rate"])
  }

  @Test func `Log settings are told and changed`() async throws {
    let client = try await Servers.main()
    let before = try await client.logSettings()
    #expect(before["log_verbose_level"] == .unsigned(0))
    let changed = try await client.updateLogSettings(["log_warning": .bool(true)])
    #expect(changed["log_warning"] == .bool(true))
  }
}
