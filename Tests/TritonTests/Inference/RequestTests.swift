import Foundation
import GRPCChannel
import Testing
import Triton

/// What a request says beside its tensors, as the server hears it.
@Suite(.timeLimit(.minutes(3))) struct RequestTests {
  private static func sum(_ rows: Int = 1) -> InferRequest {
    let values = (0..<Int32(rows * 3)).map { $0 }
    return InferRequest(
      "sum", inputs: ["A", "B"].map { InferInput($0, shape: [rows, 3], values) })
  }

  /// Id and parameters of a request as a backend sees them.
  private func heard(_ request: InferRequest) async throws -> [String: Any] {
    let text = try await Servers.main().infer(request).output("JSON").strings()[0]
    return try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test func `A batch is answered row by row, with model, version and id`() async throws {
    var request = Self.sum(4)
    (request.id, request.modelVersion) = ("请求-7", "1")
    let result = try await Servers.main().infer(request)
    #expect(result.modelName == "sum" && result.modelVersion == "1" && result.id == "请求-7")
    let total = try result.output("SUM").array(of: Int32.self)
    #expect(total == (0..<12).map { $0 * 2 })
    #expect(result.isFinal)
  }

  @Test func `Free parameters of every kind reach the backend`() async throws {
    var request = InferRequest("parameters", inputs: [])
    request.id = "nine"
    request.parameters = [
      "flag": .bool(true), "count": .integer(-7), "text": .string("宽度"), "rate": .double(0.5),
    ]
    let heard = try await heard(request)
    let parameters = try #require(heard["parameters"] as? [String: Any])
    #expect(heard["id"] as? String == "nine")
    #expect(parameters["flag"] as? Bool == true && parameters["count"] as? Int == -7)
    #expect(parameters["text"] as? String == "宽度" && parameters["rate"] as? Double == 0.5)
  }

  @Test func `Only the outputs that are asked for are sent`() async throws {
    let inputs = [
      InferInput("IN_INT8", shape: [1], [Int8(1)]), InferInput("IN_INT16", shape: [1], [Int16(2)]),
    ]
    let result = try await Servers.main().infer(
      InferRequest("identity", inputs: inputs, outputs: [RequestedOutput("OUT_INT16")]))
    #expect(result.outputs.map(\.name) == ["OUT_INT16"])
    await expectFailure(.contract, saying: "OUT_INT16") { _ = try result.output("OUT_INT8") }
  }

  @Test func `A sequence keeps its total under a number or a text`() async throws {
    let client = try await Servers.main()
    for id in [InferRequest.SequencePosition.ID.number(4_711), .number(4_712)] {
      var totals: [Int32] = []
      for (step, value) in [5, 6, 7].enumerated() {
        var request = InferRequest(
          "sequence", inputs: [InferInput("VALUE", shape: [1, 1], [Int32(value)])])
        request.sequence = .init(id: id, starts: step == 0, ends: step == 2)
        totals += try await client.infer(request).output("TOTAL").array(of: Int32.self)
      }
      #expect(totals == [5, 11, 18])
    }
  }

  @Test func `Priorities and classes are understood`() async throws {
    let client = try await Servers.main()
    var request = Self.sum()
    request.priority = 0
    _ = try await client.infer(request)
    let input = InferInput("IN_FP32", shape: [4], [0.1, 9, 3, 1] as [Float])
    let best = RequestedOutput("OUT_FP32", classes: 2)
    let result = try await client.infer(
      InferRequest("identity", inputs: [input], outputs: [best]))
    let classes = try result.output("OUT_FP32").strings()
    #expect(classes.map { $0.split(separator: ":")[1] } == ["1", "2"])
  }

  @Test(arguments: [Compression.gzip, .deflate])
  func `Compressed requests give the same answer`(_ compression: Compression) async throws {
    var configuration = TritonClient.Configuration.once
    configuration.compression = compression
    let client = try await Servers.get(.main).client(configuration)
    let total = try await client.infer(Self.sum(8)).output("SUM").array(of: Int32.self)
    #expect(total == (0..<24).map { $0 * 2 })
  }

  @Test func `A deadline ends a call with its own class`() async throws {
    let request = InferRequest("slow", inputs: [InferInput("MS", shape: [1, 1], [Int32(3_000)])])
    let client = try await Servers.get(.own("slow", ["slow"])).client()
    await expectFailure(.deadline) {
      _ = try await client.infer(request, options: .init(timeout: .milliseconds(200)))
    }
  }

  @Test func `A cancelled task ends its call at once and leaves nothing in flight`() async throws {
    let client = try await Servers.get(.own("slow", ["slow"])).client()
    let begin = ContinuousClock.now
    let call = Task {
      try await client.infer(
        InferRequest("slow", inputs: [InferInput("MS", shape: [1, 1], [Int32(20_000)])]))
    }
    while client.callsInFlight == 0 { await Task.yield() }
    call.cancel()
    await #expect(throws: CancellationError.self) { _ = try await call.value }
    #expect(ContinuousClock.now - begin < .seconds(10))
    #expect(client.callsInFlight == 0)
    #expect(client.statistics.cancelled == 1)
  }

  @Test func `A closed client refuses and a closing one ends its calls`() async throws {
    let client = try await Servers.get(.own("slow", ["slow"])).client()
    let call = Task {
      try await client.infer(
        InferRequest("slow", inputs: [InferInput("MS", shape: [1, 1], [Int32(20_000)])]))
    }
    while client.callsInFlight == 0 { await Task.yield() }
    await client.close()
    await expectFailure(.cancelled) { _ = try await call.value }
    #expect(client.callsInFlight == 0)
    await #expect(throws: TritonError.self) { try await client.isLive() }
  }

  @Test func `Tasks on the client's executor get the same answers`() async throws {
    let client = try await Servers.main()
    let totals = try await withThrowingTaskGroup(of: [Int32].self) { group in
      for _ in 0..<64 {
        group.addTask(executorPreference: client.executor) {
          try await client.infer(Self.sum()).output("SUM").array(of: Int32.self)
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(totals == Array(repeating: [0, 2, 4], count: 64))
  }
}
