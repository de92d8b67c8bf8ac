import Foundation
import GRPCChannel
import Inference
import Testing

@testable import RelationServing
@testable import Triton

/// A server that lets one request wait: whatever is refused is asked again, and nothing is lost.
@Suite(.timeLimit(.minutes(3))) struct EngineOverloadTests {
  private static let shape = ModelShape(
    vocabularySize: 1_000, predicateCount: ContractLogits.predicates, maximumTokens: 64)

  /// A client of a server whose spo_dense has a queue of one.
  private func client(_ name: String) async throws -> TritonClient {
    let kind = ServerKind(
      name: name, models: ["spo_dense", "spo_semantic"],
      flags: ["--model-control-mode=explicit", "--load-model=*"])
    let client = try await Servers.get(kind).client()
    let text = try await client.modelConfiguration("spo_dense").json
    var fields = try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    fields["dynamic_batching"] = [
      "default_queue_policy": ["max_queue_size": 1], "preferred_batch_size": [8],
      "max_queue_delay_microseconds": 3_000,
    ]
    let changed = try JSONSerialization.data(withJSONObject: fields)
    try await client.loadModel(
      "spo_dense", configuration: String(decoding: changed, as: UTF8.self))
    return client
  }

  @Test func `Refused requests are sent again, fewer at once`() async throws {
    var configuration = TritonEngine.Configuration()
    configuration.route = .dense
    configuration.concurrency = 16
    let engine = try await TritonEngine(
      client: try await client("queue"), model: "spo_dense", shape: Self.shape,
      configuration: configuration)
    try await ask(engine, tasks: 64)
    #expect(engine.statistics.overloads > 0)
    #expect(engine.statistics.concurrency == 16)
    configuration.concurrency = nil
    let adaptive = try await TritonEngine(
      client: try await client("queue"), model: "spo_dense", shape: Self.shape,
      configuration: configuration)
    try await ask(adaptive, tasks: 64)
    #expect(adaptive.statistics.concurrency <= adaptive.limits.concurrency)
    #expect(adaptive.statistics.overloads < engine.statistics.overloads)
  }

  private func ask(_ engine: TritonEngine, tasks: Int) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for task in 0..<tasks {
        group.addTask {
          let ids = (0..<10 + task % 3).map { Int32(($0 * 31 + task) % 900 + 1) }
          let answer = try await engine.infer(InferenceBatch([ids]), threshold: 0)
          #expect(try answer == [ContractLogits(ids: ids, length: 12).decoded(threshold: 0)])
        }
      }
      try await group.waitForAll()
    }
    #expect(engine.statistics.sentences == tasks)
  }

  @Test func `Patience with an overloaded server ends with its own error`() async throws {
    var configuration = TritonEngine.Configuration()
    configuration.route = .dense
    configuration.concurrency = 32
    configuration.overloadPatience = .zero
    let engine = try await TritonEngine(
      client: try await client("impatient"), model: "spo_dense", shape: Self.shape,
      configuration: configuration)
    await expectFailure(.overload, saying: "Exceeds maximum queue size") {
      for _ in 0..<20 { try await ask(engine, tasks: 64) }
    }
  }
}
