internal import GlobalPointer
internal import Inference

/// The extractions of a stream of documents, in input order; see `RelationExtractor.extract(_:)`.
///
/// Each iteration reads the source anew. What has come is read as soon as the engine has room for
/// it, however slowly the source goes on; while the engine is busy documents gather and are batched
/// together.
public struct ExtractionStream<Source: AsyncSequence & Sendable>: AsyncSequence, Sendable
where Source.Element: Sendable {
  /// What each step gives.
  public typealias Element = Extraction<Source.Element>

  let extractor: RelationExtractor
  let source: Source
  /// The text of a document; nil for one that has none and passes through.
  let text: @Sendable (Source.Element) -> String?

  /// Starts reading.
  public func makeAsyncIterator() -> Iterator {
    Iterator(run: ExtractionRun(extractor: extractor, source: source, text: text))
  }

  /// Gives the extractions one by one; the work ends with the last copy of it.
  public struct Iterator: AsyncIteratorProtocol {
    let run: ExtractionRun<Source>
    var ready: ArraySlice<Element> = []

    /// Whether the next extraction is there already, so that `next` does not wait for it.
    public var hasNext: Bool { !ready.isEmpty }

    /// The next document's extraction, nil after the last.
    ///
    /// - Throws: what the source threw, behind the last document that it gave; `InferenceError`
    ///   when the engine can go on with no document; `CancellationError` at once when the task is
    ///   cancelled.
    public mutating func next() async throws -> Element? {
      if let first = ready.popFirst() { return first }
      try Task.checkCancellation()
      guard let window = try await run.next() else { return nil }
      ready = window[...]
      return ready.popFirst()
    }
  }
}

/// One pass over a source: a task that reads, one that cuts what was read into windows, and a task
/// for each window. All end with this object, with the consumer's task, or with the first failure.
final class ExtractionRun<Source: AsyncSequence & Sendable>: Sendable
where Source.Element: Sendable {
  typealias Window = [Extraction<Source.Element>]
  /// The answer of one window, on its way.
  private typealias Answer = BoundedQueue<Result<Window, any Error>>

  private let answers: BoundedQueue<Answer>
  private let root: Task<Void, Never>

  /// Windows under way or answered; with the one that the consumer has and what is read ahead,
  /// the look-ahead is shared by four.
  private static var windows: Int { 2 }

  init(
    extractor: RelationExtractor, source: Source,
    text: @escaping @Sendable (Source.Element) -> String?
  ) {
    let limits = extractor.configuration
    let size = max(1, limits.lookAhead / (Self.windows + 2))
    let documents = BoundedQueue<Source.Element>(
      limit: size, costLimit: limits.lookAheadBytes / (Self.windows + 2))
    let answers = BoundedQueue<Answer>(limit: Self.windows)
    self.answers = answers
    root = Task {
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await Self.read(source, text, into: documents) }
        var first = 0
        while await answers.waitForRoom() {
          let window = await documents.take(upTo: size)
          guard !window.isEmpty else { break }
          let (answer, index) = (Answer(limit: 1), first)
          answers.append(answer)
          group.addTask {
            answer.append(await Self.extract(extractor, window, from: index, text))
          }
          first += window.count
        }
        answers.finish(documents.failure)
      }
    }
  }

  deinit { root.cancel() }

  /// The next window; nil after the last. All work ends with the first failure.
  func next() async throws -> Window? {
    do { return try await nextAnswered() } catch {
      root.cancel()
      throw error
    }
  }

  private func nextAnswered() async throws -> Window? {
    if let answer = await answers.take(upTo: 1).first,
      let result = await answer.take(upTo: 1).first
    {
      return try result.get()
    }
    try Task.checkCancellation()
    if let failure = answers.failure { throw failure }
    return nil
  }

  private static func read(
    _ source: Source, _ text: (Source.Element) -> String?,
    into documents: BoundedQueue<Source.Element>
  ) async {
    do {
      var iterator = source.makeAsyncIterator()
      while await documents.waitForRoom(), let document = try await iterator.next() {
        documents.append(document, cost: text(document)?.utf8.count ?? 0)
      }
      documents.finish()
    } catch {
      documents.finish(error)
    }
  }

  private static func extract(
    _ extractor: RelationExtractor, _ window: [Source.Element], from first: Int,
    _ text: (Source.Element) -> String?
  ) async -> Result<Window, any Error> {
    do {
      return .success(try await extractor.extract(batch: window, firstIndex: first, text: text))
    } catch {
      return .failure(error)
    }
  }
}
