internal import DequeModule
internal import Synchronization

/// The extractions of a stream of documents, in input order; see `RelationExtractor.extract(_:)`.
///
/// Each iteration reads the source anew. What has come is read as soon as the engine has room for
/// it, however slowly the source goes on; while the engine is busy documents gather, and their
/// sentences fill batches together.
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

/// One pass over a source: a task that reads, one that decides what is done next, and a task for
/// each chunk that is tokenized and each batch in the engine. All end with this object, with the
/// consumer's task, or with the first failure.
final class ExtractionRun<Source: AsyncSequence & Sendable>: Sendable
where Source.Element: Sendable {
  typealias Document = Source.Element
  typealias Window = [Extraction<Document>]

  private let work: StreamWork
  /// What was read and not handed out; its texts go their own way.
  private let documents: DocumentLine<Document>
  private let root: Task<Void, Never>

  init(
    extractor: RelationExtractor, source: Source,
    text: @escaping @Sendable (Document) -> String?
  ) {
    let work = StreamWork(extractor: extractor)
    let documents = DocumentLine<Document>()
    (self.work, self.documents) = (work, documents)
    root = Task {
      await withDiscardingTaskGroup { group in
        group.addTask { await Self.read(source, text, into: documents, work.monitor) }
        await work.pump(&group)
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
    let monitor = work.monitor
    monitor.change { $0.release() }
    guard await monitor.wait(.consumer, until: { $0.hasAnswer }) else { throw CancellationError() }
    let (next, failure) = monitor.change { ($0.takeAnswer(), $0.failure) }
    if let (chunk, answer) = next {
      return RelationExtractor.extractions(
        documents.take(chunk.texts.count), chunk.texts, try answer.get(), from: chunk.first)
    }
    if let failure { throw failure }
    return nil
  }

  private static func read(
    _ source: Source, _ text: (Document) -> String?, into documents: DocumentLine<Document>,
    _ monitor: StreamWork.Shared
  ) async {
    do {
      var iterator = source.makeAsyncIterator()
      while let document = try await iterator.next() {
        let text = text(document)
        documents.append(document)
        if monitor.change({ $0.append(text) }) { continue }
        guard await monitor.wait(.reader, until: { $0.hasRoom }) else { break }
      }
      monitor.change { $0.end(nil) }
    } catch {
      monitor.change { $0.end(error) }
    }
  }
}

/// Documents in the order in which they were read, until they are handed out.
private final class DocumentLine<Document: Sendable>: Sendable {
  private let documents = Mutex<Deque<Document>>([])

  func append(_ document: Document) { documents.withLock { $0.append(document) } }

  /// Takes the first ones out; they are there.
  func take(_ count: Int) -> [Document] {
    documents.withLock { documents in
      defer { documents.removeFirst(count) }
      return Array(documents.prefix(count))
    }
  }
}
