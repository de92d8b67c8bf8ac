import GlobalPointer
import Inference
import RelationExtraction
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct StreamTests {
  /// A document of a service: an id beside the text.
  private struct Message: Sendable, Equatable {
    var id: Int
    var body: String
  }

  private func stream<Element: Sendable>(_ elements: [Element]) -> AsyncStream<Element> {
    AsyncStream { continuation in
      for element in elements { continuation.yield(element) }
      continuation.finish()
    }
  }

  @Test func `Each document comes back with its result, in input order, whatever ends first`()
    async throws
  {
    let messages = (0..<300).map {
      Message(id: 7 * $0, body: String(repeating: "丙", count: $0 % 23) + "甲乙")
    }
    let calls = Atomic(0)
    let extractor = try RelationExtractor.rule {
      $0.lookAhead = 50
    } hook: { _ in
      // Every other call is slow, so that later ones overtake.
      let call = calls.add(1, ordering: .relaxed).newValue
      for _ in 0..<(call % 2) * 50 { await Task.yield() }
    }
    var seen: [Message] = []
    for try await extraction in extractor.extract(stream(messages), text: \.body) {
      #expect(extraction.index == seen.count)
      #expect(try extraction.triples.count == 1)
      seen.append(extraction.document)
    }
    #expect(seen == messages)
  }

  @Test func `A document without a text passes through in its place`() async throws {
    let texts: [String?] = ["甲乙", nil, nil, "丙", nil]
    var found: [Int?] = []
    for try await extraction in try RelationExtractor.rule().extract(stream(texts), text: { $0 }) {
      found.append(extraction.windows == 0 ? nil : try extraction.triples.count)
    }
    #expect(found == [1, nil, nil, 0, nil])
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
      for try await extraction in try RelationExtractor.rule().extract(documents) {
        #expect(extraction.index == counts.count)
        counts.append(try extraction.triples.count)
      }
    }
    #expect(counts == (0..<40).map { $0 % 2 == 0 ? 1 : 0 })
  }

  @Test func `Bug: a live stream was answered only after 48 messages`() async throws {
    let (messages, source) = AsyncStream.makeStream(of: String.self)
    var answers = try RelationExtractor.rule().extract(messages).makeAsyncIterator()
    // The next message is sent only when the last was answered: waiting for more would never end.
    for number in 0..<5 {
      source.yield("甲乙")
      let answer = try await answers.next()
      #expect(answer?.index == number)
      #expect(!answers.hasNext)
    }
    source.finish()
    #expect(try await answers.next() == nil)
  }

  @Test func `Documents that gather while the engine is busy are read in one batch`() async throws {
    let gate = TaskGate()
    let rows = Mutex<[Int]>([])
    let extractor = try RelationExtractor.rule(
      limits: EngineLimits(batchRows: 100, batchTokens: 10_000, concurrency: 1)
    ) { batch in
      rows.withLock { $0.append(batch.rowCount) }
      await gate.pass()
    }
    let (messages, source) = AsyncStream.makeStream(of: String.self)
    let reading = Task {
      for try await _ in extractor.extract(messages) {}
    }
    source.yield("甲乙")
    await gate.waitForArrivals(1)
    for _ in 0..<60 { source.yield("甲乙") }
    source.finish()
    gate.open()
    try await reading.value
    #expect(rows.withLock { $0.count } < 10, "61 messages were read one by one")
    #expect(rows.withLock { $0.reduce(0, +) } == 61)
  }

  @Test func `Reading stays within the look-ahead`() async throws {
    let pulled = Atomic(0)
    let source = AsyncStream<String> {
      pulled.add(1, ordering: .relaxed)
      return "甲乙"
    }
    var seen = 0
    for try await _ in try RelationExtractor.rule({ $0.lookAhead = 20 }).extract(source) {
      seen += 1
      #expect(pulled.load(ordering: .relaxed) <= seen + 20)
      if seen == 100 { break }
    }
  }

  @Test func `Reading stays within the look-ahead in bytes`() async throws {
    let pulled = Atomic(0)
    let text = String(repeating: "丙", count: 100)  // 300 bytes
    let source = AsyncStream<String> {
      pulled.add(1, ordering: .relaxed)
      return text
    }
    var seen = 0
    for try await _ in try RelationExtractor.rule({ $0.lookAheadBytes = 3_000 }).extract(source) {
      seen += 1
      // A document for each window and for the one being read may lie above the bound.
      #expect(pulled.load(ordering: .relaxed) * 300 <= seen * 300 + 3_000 + 5 * 300)
      if seen == 100 { break }
    }
  }

  @Test func `No more calls run at once than keep the engine busy`() async throws {
    let running = Mutex((now: 0, most: 0))
    let extractor = try RelationExtractor.rule(hook: { _ in
      running.withLock { running in
        running.now += 1
        running.most = max(running.most, running.now)
      }
      for _ in 0..<20 { await Task.yield() }
      running.withLock { $0.now -= 1 }
    })
    var count = 0
    let texts = Array(repeating: "甲乙", count: 400)
    for try await _ in extractor.extract(stream(texts)) { count += 1 }
    #expect(count == 400)
    #expect(running.withLock { $0.most } == 2)
  }

  @Test func `Cancelling the consumer ends the work at once`() async throws {
    let gate = TaskGate()
    let wasCancelled = Atomic(false)
    let extractor = try RelationExtractor.rule(hook: { _ throws(InferenceError) in
      await gate.pass()
      if Task.isCancelled {
        wasCancelled.store(true, ordering: .relaxed)
        throw .cancelled
      }
    })
    let (ended, end) = AsyncStream.makeStream(of: Void.self)
    let task = Task {
      var answers = extractor.extract(Endless { end.finish() }).makeAsyncIterator()
      await #expect(throws: CancellationError.self) { while try await answers.next() != nil {} }
      // Held until all has ended: the cancellation ends the work, not the last reference.
      await Task { for await _ in ended {} }.value
      _ = answers
    }
    await gate.waitForArrivals(2)
    task.cancel()
    // The gate never opens: only a cancellation that reaches the engine's calls lets them end.
    await task.value
    let reachedTheEngine = wasCancelled.load(ordering: .relaxed)
    #expect(reachedTheEngine)
  }

  @Test func `A stream that is let go ends its work`() async throws {
    let (ended, end) = AsyncStream.makeStream(of: Void.self)
    do {
      let source = Endless { end.finish() }
      var answers = try RelationExtractor.rule().extract(source).makeAsyncIterator()
      _ = try await answers.next()
    }
    for await _ in ended {}
  }

  @Test func `A server that is lost ends the stream behind what was read before`() async throws {
    let calls = Atomic(0)
    let extractor = try RelationExtractor.rule({ $0.lookAhead = 8 }) { _ throws(InferenceError) in
      guard calls.add(1, ordering: .relaxed).newValue <= 10 else {
        throw InferenceError(code: .unavailable, message: "no server answers")
      }
    }
    var count = 0
    do {
      for try await extraction in extractor.extract(stream(Array(repeating: "甲乙", count: 200))) {
        #expect(try extraction.triples.count == 1)
        count += 1
      }
      Issue.record("the stream ended well")
    } catch let error as InferenceError {
      #expect(error.code == .unavailable && error.isRetriable)
    }
    #expect(count > 0 && count < 40)
  }
}

/// 甲乙 without end; `onEnd` is called when nobody reads it any more.
private struct Endless: AsyncSequence, Sendable {
  let onEnd: @Sendable () -> Void

  func makeAsyncIterator() -> Iterator { Iterator(reader: Reader(onEnd)) }

  struct Iterator: AsyncIteratorProtocol {
    let reader: Reader
    mutating func next() async -> String? { "甲乙" }
  }

  final class Reader {
    private let onEnd: @Sendable () -> Void
    init(_ onEnd: @escaping @Sendable () -> Void) { self.onEnd = onEnd }
    deinit { onEnd() }
  }
}
