import GlobalPointer
import Inference
import Synchronization
import Testing
import WordPiece

@testable import RelationExtraction

/// A model by rule: every 甲 is a subject, every 乙 an object, each pair a triple of predicate 0
/// whose score falls with distance; a row with 坏 is refused, as one with a NaN would be.
private final class RuleEngine: InferenceEngine {
  let shape: ModelShape
  let limits: EngineLimits
  let vocabulary: Vocabulary
  let calls = Mutex(0)

  init(_ vocabulary: Vocabulary, maximumTokens: Int = 12) {
    self.vocabulary = vocabulary
    shape = ModelShape(
      vocabularySize: vocabulary.count, predicateCount: 1, maximumTokens: maximumTokens)
    limits = EngineLimits(batchRows: 3, batchTokens: 30, concurrency: 2)
  }

  let identity = EngineIdentity(engine: "rule", model: "甲乙", mode: "test")
  var statistics: EngineStatistics { EngineStatistics() }
  func close() async {}

  func run(_ batch: InferenceBatch, threshold: Float) async throws(InferenceError)
    -> [SentenceCandidates]
  {
    calls.withLock { $0 += 1 }
    try? await Task.sleep(for: .milliseconds(Int.random(in: 0...3)))
    return try (0..<batch.rowCount).map { row throws(InferenceError) in
      let ids = Array(batch.ids[batch.range(of: row)])
      precondition(ids.count <= shape.maximumTokens)
      if ids.contains(vocabulary.id(of: "坏") ?? -1) {
        throw InferenceError(code: .badLogits, message: "the row has a NaN", row: row)
      }
      func places(_ token: String) -> [ScoredSpan] {
        ids.indices.filter { ids[$0] == vocabulary.id(of: token) }
          .map { ScoredSpan(span: TokenSpan(start: $0, end: $0), score: 9) }
      }
      var triples: [TripleCandidate] = []
      for s in places("甲") {
        for o in places("乙") {
          let score = 8 - Float(abs(s.span.start - o.span.start))
          guard score > threshold else { continue }
          let parts = ScoreParts(subject: 9, object: 9, head: score, tail: score)
          triples.append(
            TripleCandidate(predicate: 0, subject: s.span, object: o.span, parts: parts))
        }
      }
      return SentenceCandidates(subjects: places("甲"), objects: places("乙"), triples: triples)
    }
  }

  func runScores(of queries: [TripleQuery], in ids: [Int32]) async throws(InferenceError)
    -> [ScoreParts]
  {
    queries.map { query in
      let score = 8 - Float(abs(query.subject.start - query.object.start))
      return ScoreParts(subject: 9, object: 9, head: score, tail: score)
    }
  }
}

@Suite struct ExtractorTests {
  private let vocabulary: Vocabulary
  private let schema: RelationSchema

  init() throws {
    vocabulary = try Vocabulary(
      tokens: ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "甲", "乙", "丙", "。", "坏", "1979"])
    schema = try RelationSchema(predicates: [.init(name: "之", types: [])])
  }

  private func extractor(
    _ edit: (inout RelationExtractor.Configuration) -> Void = { _ in }
  ) throws -> RelationExtractor {
    var configuration = RelationExtractor.Configuration()
    edit(&configuration)
    return try RelationExtractor(
      tokenizer: BertTokenizer(vocabulary: vocabulary), engine: RuleEngine(vocabulary),
      schema: schema, configuration: configuration)
  }

  @Test func `Offsets are bytes of the source and cut it at the mentions`() async throws {
    let text = "x 丙甲丙乙"
    let triples = try await extractor().extract(text)
    #expect(triples.count == 1)
    #expect(triples[0].subject == Mention(text: "甲", range: 5..<8))
    #expect(triples[0].object == Mention(text: "乙", range: 11..<14))
    #expect(triples[0].predicate == "之")
    #expect(triples[0].score == 6)
  }

  @Test func `A long text is windowed and nothing near is lost`() async throws {
    let sentence = "丙甲丙乙。"
    let text = String(repeating: sentence, count: 40)
    let triples = try await extractor { $0.windowOverlap = 5 }.extract(text)
    let near = triples.filter { $0.object.range.lowerBound - $0.subject.range.lowerBound == 6 }
    #expect(near.map(\.subject.range.lowerBound) == (0..<40).map { $0 * 15 + 3 })
    #expect(Set(triples).count == triples.count, "a triple seen by two windows comes once")
    #expect(triples == triples.sorted(by: Triple.precedes))
  }

  @Test func `A stream keeps its order whatever finishes first`() async throws {
    let texts = (0..<300).map { String(repeating: "丙", count: $0 % 23) + "甲乙" }
    let stream = AsyncStream { continuation in
      for text in texts { continuation.yield(text) }
      continuation.finish()
    }
    var index = 0
    for try await extraction in try extractor({ $0.lookAhead = 50 }).extract(stream) {
      #expect(extraction.index == index)
      #expect(extraction.text == texts[index])
      #expect(try extraction.triples.count == 1)
      index += 1
    }
    #expect(index == 300)
  }

  @Test func `What was read before the source failed is extracted, then its error is thrown`()
    async throws
  {
    struct Broken: Error {}
    let documents = AsyncThrowingStream<String, any Error> { stream in
      for number in 0..<40 { stream.yield(number % 2 == 0 ? "甲丙乙" : "丙") }
      stream.finish(throwing: Broken())
    }
    var counts: [Int] = []
    await #expect(throws: Broken.self) {
      for try await extraction in try extractor().extract(documents) {
        #expect(extraction.index == counts.count)
        counts.append(try extraction.triples.count)
      }
    }
    #expect(counts == (0..<40).map { $0 % 2 == 0 ? 1 : 0 })
  }

  @Test func `Work ends in the order it was begun, and goes with its owner`() async throws {
    var work: OrderedWork<Int>? = OrderedWork()
    for number in 0..<20 {
      work?.begin {
        try await Task.sleep(for: .milliseconds(Int.random(in: 0...5)))
        return number
      }
    }
    var results: [Int] = []
    while let result = try await work?.next() { results.append(result) }
    #expect(results == Array(0..<20))
    let (ended, end) = AsyncStream.makeStream(of: Bool.self)
    work?.begin {
      try? await Task.sleep(for: .seconds(60))
      end.yield(Task.isCancelled)
      return 0
    }
    work = nil
    for await isCancelled in ended {
      #expect(isCancelled)
      break
    }
  }

  @Test func `Reading stays within the look-ahead`() async throws {
    let pulled = Mutex(0)
    let source = AsyncStream<String> {
      pulled.withLock { $0 += 1 }
      return "甲乙"
    }
    var seen = 0
    for try await _ in try extractor({ $0.lookAhead = 20 }).extract(source) {
      seen += 1
      #expect(pulled.withLock { $0 } <= seen + 20)
      if seen == 100 { break }
    }
  }

  @Test func `A row that the engine refuses takes no other with it`() async throws {
    let texts = ["甲乙", "坏甲乙", "甲丙乙", "坏", ""]
    let results = try await extractor().extract(batch: texts, firstIndex: 0)
    #expect(try results[0].triples.count == 1)
    #expect(try results[2].triples.count == 1)
    #expect(try results[4].triples.isEmpty)
    for bad in [1, 3] {
      #expect(throws: InferenceError.self) { try results[bad].triples }
    }
  }

  @Test func `Cancellation ends a stream at once`() async throws {
    let extractor = try extractor()
    let task = Task {
      let endless = AsyncStream<String> { "甲乙" }
      var count = 0
      for try await _ in extractor.extract(endless) { count += 1 }
      return count
    }
    try await Task.sleep(for: .milliseconds(50))
    task.cancel()
    // Either the pull or the inference notices; both end it.
    _ = try? await task.value
    #expect(task.isCancelled)
  }

  @Test func `Kept predicates and the threshold apply`() async throws {
    #expect(try await extractor { $0.predicates = [] }.extract("甲乙").isEmpty)
    #expect(try await extractor { $0.threshold = 6.5 }.extract("甲丙乙").isEmpty)
  }

  @Test func `Explain gives every occurrence its logits or its reason`() async throws {
    let extractor = try extractor()
    let found = try await extractor.explain("甲丙乙甲", subject: "甲", predicate: "之", object: "乙")
    #expect(
      found.map(\.finding) == [
        .scored(ScoreParts(subject: 9, object: 9, head: 6, tail: 6)),
        .scored(ScoreParts(subject: 9, object: 9, head: 7, tail: 7)),
      ])
    func reason(_ text: String, _ subject: String) async throws -> String {
      let found = try await extractor.explain(text, subject: subject, predicate: "之", object: "乙")
      guard case .impossible(let reason) = found[0].finding else { return "" }
      return reason
    }
    #expect(try await reason("丙乙", "甲").contains("does not occur"))
    #expect(try await reason("1979乙", "19").contains("inside the token 1979"))
    #expect(try await reason("甲" + String(repeating: "丙", count: 12) + "乙", "甲").contains("apart"))
    await #expect(throws: SchemaError.self) {
      try await extractor.explain("甲", subject: "甲", predicate: "无", object: "乙")
    }
  }

  @Test func `A schema that does not fit the model is refused`() throws {
    let two = try RelationSchema(predicates: [.init(name: "一"), .init(name: "二")])
    #expect(throws: SchemaError.wrongCount(model: 1, schema: 2)) {
      try RelationExtractor(
        tokenizer: BertTokenizer(vocabulary: vocabulary), engine: RuleEngine(vocabulary),
        schema: two)
    }
  }
}
