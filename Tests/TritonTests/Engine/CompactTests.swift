import GRPCChannel
import GlobalPointer
import Inference
import Testing

@testable import RelationServing
@testable import Triton

/// Answers that the server decodes are those that the dense logits give.
@Suite(.timeLimit(.minutes(5))) struct CompactTests {
  private static let shape = ModelShape(
    vocabularySize: 1_000, predicateCount: ContractLogits.predicates, maximumTokens: 64)

  private func engine(
    _ model: String, _ route: ServingRoute? = nil, at kind: ServerKind = .compact
  ) async throws -> TritonEngine {
    var configuration = TritonEngine.Configuration()
    configuration.route = route
    return try await TritonEngine(
      client: try await Servers.get(kind).client(), model: model, shape: Self.shape,
      configuration: configuration)
  }

  /// Random sentences of up to 64 tokens.
  private static func sentences(_ count: Int, longest: Int = 64) -> [[Int32]] {
    (0..<count).map { _ in
      (0..<Int.random(in: 2...longest)).map { _ in Int32.random(in: 1..<1_000) }
    }
  }

  @Test(arguments: [
    ("spo_dense", ServingRoute.compactNative, "spo_native"),
    ("spo_dense", .compactEnsemble, "spo_dense_compact"),
    ("spo_dense_tiny", .compactEnsemble, "spo_dense_tiny"),
    ("spo_dense", .denseSharedMemory, "spo_dense"), ("spo_dense", .dense, "spo_dense"),
  ])
  func `Every way gives what the logits decode to`(
    _ model: String, _ route: ServingRoute, _ asked: String
  ) async throws {
    let engine = try await engine(model, route)
    #expect(engine.plan.primary.model == asked, "\(engine.plan.explanation)")
    var triples = 0
    for (round, threshold) in zip(0..., [Float(0), 3.5, -20, 18, 3, 10]) {
      let batch = Self.sentences(round == 0 ? 1 : 8, longest: round < 3 ? 12 : 64)
      let answers = try await engine.closing { _ in
        try await engine.infer(InferenceBatch(batch), threshold: threshold)
      }
      for (sentence, answer) in zip(batch, answers) {
        let expected = try ContractLogits(ids: sentence, length: 64).decoded(threshold: threshold)
        #expect(answer == expected)
        triples += expected.triples.count
      }
    }
    #expect(triples > 100)
    let done = engine.statistics
    #expect(done.sentences == 41 && done.fellBack == 0)
    #expect(route.isCompact ? done.askedAgain > 0 : done.askedAgain == 0)
  }

  @Test func `With room for two spans and triples every answer is still exact`() async throws {
    let engine = try await engine("spo_dense_tiny")
    let batch = Self.sentences(64, longest: 24)
    let answers = try await engine.infer(InferenceBatch(batch), threshold: 0)
    let expected = try batch.map { try ContractLogits(ids: $0, length: 24).decoded(threshold: 0) }
    #expect(answers == expected)
    #expect(engine.statistics.askedAgain > 10 && engine.statistics.askedAgain < 64)
  }

  @Test func `Answers that are mostly cut are asked for densely at once`() async throws {
    let engine = try await engine("spo_dense_tiny")
    let batch = InferenceBatch(Self.sentences(64, longest: 24))
    for _ in 0..<5 { _ = try await engine.infer(batch, threshold: -30) }
    let before = engine.statistics
    _ = try await engine.infer(batch, threshold: -30)
    #expect(before.askedAgain == engine.statistics.askedAgain)
  }

  @Test func `A padded length that the batch asks for changes no answer`() async throws {
    for route in [ServingRoute.compactEnsemble, .dense] {
      let engine = try await engine("spo_dense", route)
      var batch = InferenceBatch(Self.sentences(5, longest: 20))
      let plain = try await engine.infer(batch, threshold: 3)
      batch.paddedLength = 32
      let padded = try await engine.infer(batch, threshold: 3)
      #expect(plain == padded)
    }
  }

  @Test func `A logit that is not finite is as loud as from the dense model`() async throws {
    let engine = try await engine("spo_nan", .compactEnsemble)
    do {
      _ = try await engine.infer(InferenceBatch([[101, 5, 102]]), threshold: 0)
      Issue.record("a NaN was decoded")
    } catch {
      #expect(error.code == .badLogits && error.row == 0)
      #expect(error.description.contains("entity[0, 1, 1] is nan"), "\(error)")
    }
  }

  @Test func `Scores of any triple come from the dense model behind`() async throws {
    let sentence = Self.sentences(1, longest: 30)[0] + [7, 8, 9]
    let expected = try ContractLogits(ids: sentence, length: 40).decoded(threshold: 0)
    let queries = expected.triples.map {
      TripleQuery(predicate: $0.predicate, subject: $0.subject, object: $0.object)
    }
    let scores = try await engine("spo_dense_tiny").scores(of: queries, in: sentence)
    #expect(scores == expected.triples.map(\.parts))
  }
}
