import GlobalPointer
import Inference
import Testing
import RelationServing
import Triton

/// Models of every naming and type, read where their answers lie.
@Suite(.timeLimit(.minutes(3))) struct EngineTests {
  private static let shape = ModelShape(
    vocabularySize: 1_000, predicateCount: ContractLogits.predicates, maximumTokens: 64)
  private static let sentences: [[Int32]] = [
    [101, 5, 9, 12, 7, 102], [101, 102], [101, 33, 102], Array(101...140),
    [101, 8, 8, 8, 8, 8, 8, 102], (0..<64).map { $0 * 13 % 900 + 1 },
  ]

  private func engine(
    _ model: String, names: TensorNames? = nil, answerBytes: Int = 256 << 20
  ) async throws -> TritonEngine {
    var configuration = TritonEngine.Configuration()
    configuration.names = names
    configuration.answerBytes = answerBytes
    return try await TritonEngine(
      client: try await Servers.main(), model: model, shape: Self.shape,
      configuration: configuration)
  }

  private static let renamed = TensorNames(
    tokenIDs: "t0", tokenTypes: "t1", mask: "t2",
    answer: .dense(entity: "u0", soHead: "u1", soTail: "u2"))

  @Test(arguments: ["spo_dense", "spo_semantic", "spo_int32", "spo_renamed", "spo_unbatched"])
  func `Answers decode as their logits do`(_ model: String) async throws {
    let engine = try await engine(model, names: model == "spo_renamed" ? Self.renamed : nil)
    let answers = try await engine.infer(InferenceBatch(Self.sentences), threshold: 0)
    let expected = try Self.sentences.map {
      try ContractLogits(ids: $0, length: 64).decoded(threshold: 0)
    }
    #expect(answers == expected)
    #expect(expected.contains { !$0.triples.isEmpty })
  }

  @Test func `An answer that would pass the limit is asked for in parts`() async throws {
    // One longest sentence just fits.
    let engine = try await engine("spo_semantic", answerBytes: 4 * 8 * 64 * 64)
    let before = try await Self.requests()
    let answers = try await engine.infer(InferenceBatch(Self.sentences), threshold: 0)
    #expect(answers.count == Self.sentences.count)
    let expected = try ContractLogits(ids: Self.sentences[5], length: 64).decoded(threshold: 0)
    #expect(answers[5] == expected)
    #expect(try await Self.requests() >= before + 2)
  }

  private static func requests() async throws -> Int {
    try await Servers.main().modelStatistics("spo_semantic").reduce(0) { $0 + $1.success.count }
  }

  @Test func `Scores of any triple are those of its cells`() async throws {
    let engine = try await engine("spo_dense")
    let expected = try ContractLogits(ids: Self.sentences[3], length: 40).decoded(threshold: 0)
    let triples = expected.triples.prefix(20)
    let queries = triples.map {
      TripleQuery(predicate: $0.predicate, subject: $0.subject, object: $0.object)
    }
    let scores = try await engine.scores(of: queries, in: Self.sentences[3])
    #expect(scores == triples.map(\.parts))
    #expect(!queries.isEmpty)
  }

  @Test func `A short row beside a long one keeps its own length`() async throws {
    let engine = try await engine("spo_dense")
    let alone = try await engine.infer(InferenceBatch([Self.sentences[2]]), threshold: -2)
    let padded = try await engine.infer(
      InferenceBatch([Self.sentences[3], Self.sentences[2]]), threshold: -2)
    #expect(padded[1] == alone[0])
  }

  @Test func `A NaN in a cell that counts names tensor, cell and row`() async throws {
    let engine = try await engine("spo_nan")
    do {
      _ = try await engine.infer(InferenceBatch(Self.sentences), threshold: 0)
      Issue.record("a NaN was decoded")
    } catch {
      #expect(error.code == .badLogits && error.row == 0)
      #expect(error.description.contains("entity[0, 1, 1] is nan"), "\(error)")
    }
  }

  @Test func `Answers of another shape are refused with expected and got`() async throws {
    await expectFailure(.contract, saying: "expected FP32 [1, 3, 3, 3]") {
      _ = try await engine("spo_short")
    }
  }

  @Test func `A model whose tensors do not fit is refused with expected and got`() async throws {
    await expectFailure(.contract, saying: #"expected ["input_ids""#) {
      _ = try await engine("spo_misfit")
    }
    await expectFailure(.contract, saying: "name its tensors with --tensors") {
      _ = try await engine("spo_renamed")
    }
    await expectFailure(.contract, saying: #""u9"]"#) {
      var names = Self.renamed
      names.answer = .dense(entity: "u0", soHead: "u1", soTail: "u9")
      _ = try await engine("spo_renamed", names: names)
    }
  }

  @Test func `A schema of another size is refused`() async throws {
    var shape = Self.shape
    shape.predicateCount = 4
    await expectFailure(.contract, saying: "3 predicates, the schema has 4") {
      _ = try await TritonEngine(
        client: try await Servers.main(), model: "spo_semantic", shape: shape)
    }
  }

  @Test func `An answer above 2 GiB is never asked for`() async throws {
    var shape = Self.shape
    shape.maximumTokens = 16_384
    let client = try await Servers.main()
    await expectFailure(.size, saying: "8589934592 bytes") {
      var configuration = TritonEngine.Configuration()
      configuration.answerBytes = .max
      _ = try await TritonEngine(
        client: client, model: "spo_semantic", shape: shape, configuration: configuration)
    }
    #expect(client.statistics.bytesReceived < 100_000)
  }

  @Test func `A batch above max_batch_size is refused by the server and cut by the engine`()
    async throws
  {
    let values = [Int32](repeating: 1, count: 9)
    let inputs = ["A", "B"].map { InferInput($0, shape: [9, 1], values) }
    let client = try await Servers.main()
    await expectFailure(.contract, saying: "batch-size must be <= 8") {
      _ = try await client.infer(InferRequest("sum", inputs: inputs))
    }
    let engine = try await engine("spo_dense")
    let rows = Array(repeating: Self.sentences[0], count: 20)
    let answers = try await engine.infer(InferenceBatch(rows), threshold: 0)
    let expected = try ContractLogits(ids: rows[0], length: 6).decoded(threshold: 0)
    #expect(answers == Array(repeating: expected, count: 20))
  }
}
