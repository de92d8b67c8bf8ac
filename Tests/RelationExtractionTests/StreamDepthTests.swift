import GlobalPointer
import Inference
import RelationExtraction
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct StreamDepthTests {
  /// The same document without end, and how often it was read.
  private final class Source: Sendable {
    let read = Atomic(0)

    func documents(_ text: String) -> AsyncStream<String> {
      AsyncStream { [self] in
        read.add(1, ordering: .relaxed)
        return text
      }
    }
  }

  private func gated(rows: Int = 4, concurrency: Int) throws -> GatedEngine<RuleEngine> {
    GatedEngine(
      try RuleEngine(
        limits: EngineLimits(batchRows: rows, batchTokens: 10_000, concurrency: concurrency)))
  }

  /// Reads until the test lets go.
  private func consumed<Element: Sendable>(
    _ stream: ExtractionStream<AsyncStream<Element>>, upTo count: Int
  ) -> Task<[Int], any Error> {
    Task {
      var indices: [Int] = []
      for try await extraction in stream {
        indices.append(extraction.index)
        if indices.count == count { break }
      }
      return indices
    }
  }

  @Test func `Bug: calls of a large engine stood idle behind four windows`() async throws {
    let engine = try gated(rows: 24, concurrency: 128)
    let source = Source()
    let reading = consumed(
      try RelationExtractor.rule(over: engine).extract(source.documents("甲乙")), upTo: 5_000)
    // None of them comes back, and yet all are under way.
    await engine.arrivals(128)
    #expect(engine.mostAtOnce == 128)
    engine.open()
    #expect(try await reading.value == Array(0..<5_000))
  }

  @Test func `One call that never comes back holds up no other within the look-ahead`()
    async throws
  {
    let engine = try gated(concurrency: 2)
    let source = Source()
    for call in 1..<1_000 { engine.release(call) }
    let extractor = try RelationExtractor.rule({ $0.lookAhead = 100 }, over: engine)
    let reading = consumed(extractor.extract(source.documents("甲乙")), upTo: 300)
    // All of the look-ahead but the first four documents has been answered.
    await engine.arrivals(25)
    #expect(source.read.load(ordering: .relaxed) == 100)
    #expect(engine.waiting == [0])
    engine.open()
    #expect(try await reading.value == Array(0..<300))
  }

  @Test func `A look-ahead in bytes bounds what is read behind a call that never comes back`()
    async throws
  {
    let engine = try gated(concurrency: 2)
    let source = Source()
    for call in 1..<1_000 { engine.release(call) }
    let extractor = try RelationExtractor.rule({ $0.lookAheadBytes = 1_200 }, over: engine)
    // 12 bytes each.
    let reading = consumed(extractor.extract(source.documents("甲丙丙乙")), upTo: 300)
    await engine.arrivals(25)
    #expect(source.read.load(ordering: .relaxed) == 100)
    engine.open()
    #expect(try await reading.value == Array(0..<300))
  }

  @Test func `An engine that can take more while it runs is given more`() async throws {
    let growing = try GrowingEngine(gated(concurrency: 2))
    let source = Source()
    let reading = consumed(
      try RelationExtractor.rule(over: growing).extract(source.documents("甲乙")), upTo: 100)
    await growing.base.arrivals(2)
    growing.concurrency.withLock { $0 = 6 }
    growing.base.release(0)
    // One has come back, six are inside.
    await growing.base.arrivals(7)
    growing.base.open()
    #expect(try await reading.value == Array(0..<100))
    #expect(growing.base.mostAtOnce == 6)
  }

  @Test func `Batches are full while the source has more, whatever the lengths`() async throws {
    let rows = Mutex<[Int]>([])
    let extractor = try RelationExtractor.rule(
      limits: EngineLimits(batchRows: 8, batchTokens: 10_000, concurrency: 4, padsRows: true)
    ) { batch in
      rows.withLock { $0.append(batch.rowCount) }
    }
    let texts = (0..<20_000).map { String(repeating: "丙", count: $0 % 5) + "甲乙" }
    let (documents, source) = AsyncStream.makeStream(of: String.self)
    for text in texts { source.yield(text) }
    source.finish()
    var count = 0
    for try await extraction in extractor.extract(documents) {
      #expect(extraction.document == texts[count])
      count += 1
    }
    #expect(count == 20_000)
    let short = rows.withLock { $0.count { $0 < 8 } }
    #expect(short < 50, "\(short) of \(rows.withLock { $0.count }) batches were not full")
  }
}

/// An engine whose room for calls changes.
private final class GrowingEngine: InferenceEngine {
  let base: GatedEngine<RuleEngine>
  let concurrency: Mutex<Int>

  init(_ base: GatedEngine<RuleEngine>) {
    self.base = base
    concurrency = Mutex(base.limits.concurrency)
  }

  var shape: ModelShape { base.shape }
  var limits: EngineLimits {
    var limits = base.limits
    limits.concurrency = concurrency.withLock { $0 }
    return limits
  }
  var identity: EngineIdentity { base.identity }
  var statistics: EngineStatistics { base.statistics }
  func close() async { await base.close() }

  func run(_ batch: InferenceBatch, threshold: Float) async throws(InferenceError)
    -> [SentenceCandidates]
  {
    try await base.run(batch, threshold: threshold)
  }

  func runScores(of queries: [TripleQuery], in ids: [Int32]) async throws(InferenceError)
    -> [ScoreParts]
  {
    try await base.runScores(of: queries, in: ids)
  }
}
