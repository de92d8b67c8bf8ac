import Foundation
import GRPCChannel
import Inference
import Testing

@testable import RelationServing
@testable import Triton

/// Which way is taken, and what is said of the others.
@Suite(.timeLimit(.minutes(5))) struct PlanTests {
  private static let shape = ModelShape(
    vocabularySize: 1_000, predicateCount: ContractLogits.predicates, maximumTokens: 64)

  private func engine(
    _ model: String, _ client: TritonClient, _ route: ServingRoute? = nil
  ) async throws -> TritonEngine {
    var configuration = TritonEngine.Configuration()
    configuration.route = route
    return try await TritonEngine(
      client: client, model: model, shape: Self.shape, configuration: configuration)
  }

  private func verdict(_ plan: ServingPlan, of model: String) -> String {
    plan.options.first { $0.model == model && $0.contract == nil }?.verdict ?? ""
  }

  @Test func `The best way is taken, and every other is accounted for`() async throws {
    let plan = try await engine("spo_dense", try await Servers.get(.compact).client()).plan
    #expect(plan.primary.route == .compactNative && plan.primary.model == "spo_native")
    #expect(plan.dense?.route == .denseSharedMemory)
    let usable = plan.options.filter { $0.contract != nil }.map(\.route)
    let good: [ServingRoute] = [
      .compactNative, .compactEnsemble, .compactEnsemble, .denseSharedMemory, .dense,
    ]
    #expect(usable == good, "\(plan.explanation)")
    #expect(verdict(plan, of: "spo_stale").contains("of another export than spo_dense"))
    #expect(verdict(plan, of: "spo_dense_renamed").contains("my_triples"))
    #expect(plan.explanation.split(separator: "\n").count == plan.options.count)
  }

  @Test func `An ensemble whose decoder is missing or has another K is not taken`() async throws {
    let client = try await Servers.get(.compact).client()
    let plan = try await engine("spo_dense", client).plan
    for broken in ["spo_dense_missing", "spo_dense_wrong"] {
      #expect(verdict(plan, of: broken).contains("log says why"), "\(plan.explanation)")
      let error = await #expect(throws: TritonError.self) { try await engine(broken, client) }
      #expect(error?.description.contains(broken) == true, "\(error as Any)")
    }
  }

  @Test func `A way that cannot be taken is refused with its reason`() async throws {
    let client = try await Servers.main()
    await expectFailure(.contract, saying: "compact-native cannot be taken") {
      _ = try await engine("spo_dense", client, .compactNative)
    }
  }

  @Test func `A server that keeps its memory to itself is asked through gRPC`() async throws {
    let kind = ServerKind(
      name: "noshm", models: ["spo_dense"],
      flags: ["--grpc-restricted-protocol=shared-memory:admin-key=secret"])
    let engine = try await engine("spo_dense", try await Servers.get(kind).client())
    #expect(engine.plan.primary.route == .dense)
    let shared = engine.plan.options.first { $0.route == .denseSharedMemory }
    #expect(shared?.contract == nil && shared?.verdict.contains("restricted") == true)
    let ids: [Int32] = [101, 5, 9, 12, 7, 102]
    let answers = try await engine.infer(InferenceBatch([ids]), threshold: 0)
    #expect(try answers == [ContractLogits(ids: ids, length: 6).decoded(threshold: 0)])
  }

  @Test func `A server that lists no models is still found an ensemble by name`() async throws {
    let kind = ServerKind(
      name: "noindex", models: ["spo_dense"],
      others: [
        "model_repository/spo_decode", "Tests/TritonTests/Compact/spo_dense_compact",
      ],
      flags: ["--grpc-restricted-protocol=model-repository:admin-key=secret"])
    let engine = try await engine("spo_dense", try await Servers.get(kind).client())
    #expect(engine.plan.primary.model == "spo_dense_compact", "\(engine.plan.explanation)")
  }

  @Test func `A server that takes over and lacks the ensemble loses nothing`() async throws {
    let with = try await Servers.start(
      ServerKind(
        name: "mortal", models: ["spo_dense"],
        others: ["model_repository/spo_decode", "Tests/TritonTests/Compact/spo_dense_compact"]))
    let without = try await Servers.get(.own("dense", ["spo_dense"]))
    // Asked in this order: the second answers only once the first is gone.
    var configuration = TritonClient.Configuration.once
    configuration.retry = RetryPolicy()
    configuration.retry.attempts = 10
    let client = try TritonClient(
      "127.0.0.1:\(with.grpc),127.0.0.1:\(without.grpc)", configuration: configuration)
    let engine = try await engine("spo_dense", client)
    #expect(engine.plan.primary.route == .compactEnsemble, "\(engine.plan.explanation)")
    #expect(!engine.plan.options.contains { $0.route == .denseSharedMemory && $0.contract != nil })
    for number in 0..<20 {
      let sentence: [Int32] = [101, Int32(number + 1), 9, 12, Int32(number + 70), 102]
      if number == 10 { with.kill() }
      let answer = try await engine.infer(InferenceBatch([sentence]), threshold: 0)
      #expect(try answer == [ContractLogits(ids: sentence, length: 6).decoded(threshold: 0)])
    }
    let done = engine.statistics
    #expect(done.sentences == 20 && done.fellBack > 0 && done.fellBack <= 10)
    #expect(done.failure?.contains("spo_dense_compact") == true)
  }
}
