import GlobalPointer
import Inference
import RelationServing
import TestSupport
import Testing
import Triton

@Suite(.timeLimit(.minutes(1))) struct SimulatedServerTests {
  private let shape = ModelShape(vocabularySize: 6_872, predicateCount: 56, maximumTokens: 256)

  private func engine(_ server: EchoServer) async throws -> TritonEngine {
    let client = try TritonClient(server.address)
    return try await TritonEngine(client: client, model: "spo_compact", shape: shape)
  }

  @Test func `A simulated server answers a row alike in whatever batch it comes`() async throws {
    let server = try await EchoServer("--compact", "--service-ms", "1")
    let engine = try await engine(server)
    #expect(engine.plan.primary.route == .compactNative)
    var random = SeededRandom(5)
    let rows = (0..<24).map { _ in
      (0..<Int.random(in: 2...60, using: &random)).map { _ in
        Int32.random(in: 0..<6_872, using: &random)
      }
    }
    let together = try await engine.infer(InferenceBatch(rows), threshold: 0)
    let reversed = try await engine.infer(InferenceBatch(Array(rows.reversed())), threshold: 0)
    #expect(together == reversed.reversed())
    for (row, answer) in zip(rows, together) {
      #expect(try await engine.infer(InferenceBatch([row]), threshold: 0) == [answer])
      #expect(row.count < 3 ? answer.triples.isEmpty : (1...3).contains(answer.triples.count))
    }
    await engine.close()
  }

  @Test func `A simulated server refuses what its queue has no room for, as Triton does`()
    async throws
  {
    let server = try await EchoServer("--compact", "--service-ms", "20", "--queue", "1")
    let client = try TritonClient(server.address)
    var configuration = TritonEngine.Configuration()
    configuration.concurrency = 8
    let engine = try await TritonEngine(
      client: client, model: "spo_compact", shape: shape, configuration: configuration)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for id in Int32(0)..<8 {
        group.addTask {
          let answers = try await engine.infer(InferenceBatch([[1, id, 2]]), threshold: 0)
          #expect(answers.count == 1)
        }
      }
      try await group.waitForAll()
    }
    #expect(engine.statistics.overloads > 0)
    await engine.close()
  }
}
