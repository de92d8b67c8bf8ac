import GlobalPointer
import Inference
import RelationExtraction
import TestSupport
import Testing

/// Sentences that an engine cannot read, in batches with others.
@Suite(.timeLimit(.minutes(1))) struct PoisonTests {
  private let limits = EngineLimits(batchRows: 16, batchTokens: 1_000, concurrency: 2)

  @Test func `A row that the engine names takes no other with it`() async throws {
    let texts = ["甲乙", "坏甲乙", "甲丙乙", "坏", ""]
    let results = try await RelationExtractor.rule().extract(batch: texts)
    #expect(try results[0].triples.count == 1)
    #expect(try results[2].triples.count == 1)
    #expect(try results[4].triples.isEmpty)
    for bad in [1, 3] {
      #expect(throws: InferenceError.self) { try results[bad].triples }
    }
  }

  @Test(arguments: [[], [0], [15], [7, 8], [0, 5, 10, 15], Array(0..<16)])
  func `Bug: a sentence that a call fails on cost the whole run`(_ poisoned: [Int]) async throws {
    let texts = (0..<16).map { poisoned.contains($0) ? "毒甲乙" : "甲乙" }
    let results = try await RelationExtractor.rule(limits: limits).extract(batch: texts)
    for (place, result) in results.enumerated() {
      if poisoned.contains(place) {
        let error = #expect(throws: InferenceError.self) { try result.triples }
        #expect(error?.code == .engineFailure)
      } else {
        #expect(try result.triples.count == 1)
      }
    }
  }

  @Test func `An engine that fails on every sentence is given up`() async throws {
    let texts = Array(repeating: "毒", count: 40)
    let extractor = try RelationExtractor.rule({ $0.failureLimit = 30 }, limits: limits)
    let error = await #expect(throws: InferenceError.self) {
      try await extractor.extract(batch: texts)
    }
    #expect(error?.code == .badModel)
    #expect(error?.message.contains("sentences in a row") ?? false, "\(error as Any)")
  }

  @Test func `Bug: an engine that gave an answer too few made texts without triples`() async throws
  {
    let extractor = try RelationExtractor.rule(over: Forgetful(inner: RuleEngine()))
    let results = try await extractor.extract(batch: ["甲乙", "甲丙乙", "甲乙"])
    for result in results {
      let error = #expect(throws: InferenceError.self) { try result.triples }
      #expect(error?.message.contains("gave 0 answers to 1 sentences") ?? false)
    }
  }

  @Test func `A call that fails at any place is told in the texts of that call, or made again`()
    async throws
  {
    let texts = (0..<20).map { String(repeating: "丙", count: $0 % 5) + "甲乙" }
    var nth = 0
    var engine: FailingEngine<RuleEngine>
    repeat {
      nth += 1
      engine = FailingEngine(try RuleEngine(), nth: nth)
      // The halves of a call that fails once are answered: only a row by itself is told.
      for result in try await RelationExtractor.rule(over: engine).extract(batch: texts) {
        if case .failure(let error) = result.result {
          #expect(error.code == .engineFailure)
        } else {
          #expect(try result.triples.count == 1)
        }
      }
    } while nth < engine.callCount
    #expect(nth > 7)
  }
}

/// Leaves out the last answer of every call.
private struct Forgetful: InferenceEngine {
  let inner: RuleEngine
  var shape: ModelShape { inner.shape }
  var limits: EngineLimits { inner.limits }
  var identity: EngineIdentity { inner.identity }
  var statistics: EngineStatistics { inner.statistics }

  func run(_ batch: InferenceBatch, threshold: Float) async throws(InferenceError)
    -> [SentenceCandidates]
  {
    try await inner.run(batch, threshold: threshold).dropLast()
  }

  func runScores(of queries: [TripleQuery], in ids: [Int32]) async throws(InferenceError)
    -> [ScoreParts]
  {
    try await inner.runScores(of: queries, in: ids)
  }

  func close() async {}
}
