public import GlobalPointer
public import Inference
internal import Limiting
public import RelationBundle
public import WordPiece

/// Chinese text to subject-predicate-object triples, over any engine.
///
/// A service keeps one for its life and calls it from any task:
///
/// ```swift
/// let bundle = try ModelBundle(directory: URL(fileURLWithPath: "model_repository/spo_onnx/1"))
/// let extractor = try RelationExtractor(bundle: bundle, engine: EmbeddedEngine(bundle: bundle))
/// for triple in try await extractor.extract("《离开》是由张宇谱曲，演唱") {
///   print(triple.subject.text, triple.predicate, triple.object.text, triple.score)
/// }
/// ```
public struct RelationExtractor: Sendable {
  /// How it reads documents.
  public struct Configuration: Sendable {
    /// Logits strictly above it count. The model is trained for 0.
    public var threshold: Float = 0
    /// What scores are divided by for `Triple.confidence`; a bundle's is in its config.json.
    public var temperature: Float = 1
    /// Predicates that are kept; nil keeps all.
    public var predicates: Set<Int>?
    /// Tokens that neighbouring windows of a long document share.
    public var windowOverlap = 64
    /// Documents read ahead to plan batches from, and so held in memory.
    public var lookAhead = 2_048
    /// UTF-8 bytes of text read ahead; reading stops at whichever limit comes first.
    public var lookAheadBytes = 4 << 20

    /// The defaults.
    public init() {}
  }

  /// Text to token ids.
  public let tokenizer: BertTokenizer
  /// Token ids to candidates.
  public let engine: any InferenceEngine
  /// Predicate ids to names.
  public let schema: RelationSchema
  /// How documents are read.
  public let configuration: Configuration
  let planning: BatchPlanning
  /// One for all windows that are read beside each other.
  let limiter: ConcurrencyLimiter

  /// Puts the three together. Throws `SchemaError.wrongCount` when the schema does not fit the
  /// model, `InferenceError` when the vocabulary does not.
  public init(
    tokenizer: BertTokenizer, engine: any InferenceEngine, schema: RelationSchema,
    configuration: Configuration = .init()
  ) throws {
    try schema.require(count: engine.shape.predicateCount)
    guard tokenizer.vocabulary.count <= engine.shape.vocabularySize else {
      throw InferenceError(
        code: .badModel,
        message: "the vocabulary has \(tokenizer.vocabulary.count) tokens, the model only "
          + "\(engine.shape.vocabularySize); use the vocab.txt that the model was trained with")
    }
    (self.tokenizer, self.engine, self.schema) = (tokenizer, engine, schema)
    self.configuration = configuration
    planning = BatchPlanning(engine)
    limiter = ConcurrencyLimiter(limit: engine.limits.concurrency)
  }

  /// The bundle's vocabulary, schema and temperature over an engine of the same model.
  ///
  /// The temperature is the bundle's, whatever `configuration` says.
  /// - Throws: as `init(tokenizer:engine:schema:configuration:)`.
  public init(
    bundle: ModelBundle, engine: any InferenceEngine, configuration: Configuration = .init()
  ) throws {
    var configuration = configuration
    configuration.temperature = bundle.temperature
    try self.init(
      tokenizer: BertTokenizer(vocabulary: bundle.vocabulary), engine: engine,
      schema: bundle.schema, configuration: configuration)
  }

  /// What reading has cost so far beside the engine.
  public var statistics: ReadingStatistics { planning.statistics }

  /// The triples of one text, of any length, in the order of `Triple.precedes`.
  public func extract(_ text: String) async throws -> [Triple] {
    try await extract(batch: [text], firstIndex: 0)[0].triples
  }

  /// The extractions of documents, in input order, read as they are consumed.
  ///
  /// Reading stays at most `lookAhead` documents or `lookAheadBytes` ahead of the consumer.
  /// Cancelling the consuming task ends the work at once with `CancellationError`.
  public func extract<Documents: AsyncSequence>(
    _ documents: Documents
  ) -> Extractions<Documents> where Documents.Element == String {
    Extractions(extractor: self, documents: documents)
  }

  /// The extractions of a few documents that are read together; `firstIndex` numbers them.
  public func extract(batch texts: [String], firstIndex: Int) async throws -> [Extraction] {
    var reading = BatchReading(extractor: self, texts: texts)
    try await reading.infer()
    return texts.indices.map { reading.extraction($0, index: firstIndex + $0) }
  }
}

/// Extractions in input order; see `RelationExtractor.extract(_:)`.
public struct Extractions<Documents: AsyncSequence>: AsyncSequence
where Documents.Element == String {
  /// What each step gives.
  public typealias Element = Extraction

  let extractor: RelationExtractor
  let documents: Documents

  /// Starts reading.
  public func makeAsyncIterator() -> Iterator {
    Iterator(extractor: extractor, source: documents.makeAsyncIterator())
  }

  /// Reads documents ahead in windows, two at once, and gives their extractions one by one.
  public struct Iterator: AsyncIteratorProtocol {
    let extractor: RelationExtractor
    var source: Documents.AsyncIterator
    let windows = OrderedWork<[Extraction]>()
    var ready: ArraySlice<Extraction> = []
    var count = 0
    var isAtEnd = false
    /// Why reading ended; thrown behind the last extraction.
    var failure: (any Error)?
    /// Doubles up to `lookAhead`, so that the first answers come soon.
    var ahead: Int
    let limit: Int

    init(extractor: RelationExtractor, source: Documents.AsyncIterator) {
      (self.extractor, self.source) = (extractor, source)
      limit = Swift.max(1, extractor.configuration.lookAhead / 2)
      ahead = Swift.min(16, limit)
    }

    /// The next document's extraction, nil after the last.
    public mutating func next() async throws -> Extraction? {
      if let first = ready.popFirst() { return first }
      while windows.count < 2, !isAtEnd { try await beginWindow() }
      try Task.checkCancellation()
      ready = try await windows.next()?[...] ?? []
      if ready.isEmpty, let failure {
        self.failure = nil
        throw failure
      }
      return ready.popFirst()
    }

    private mutating func beginWindow() async throws {
      let texts = await read()
      isAtEnd = texts.isEmpty || failure != nil
      guard !texts.isEmpty else { return }
      let (extractor, first) = (extractor, count)
      windows.begin { try await extractor.extract(batch: texts, firstIndex: first) }
      count += texts.count
      ahead = Swift.min(2 * ahead, limit)
    }

    private mutating func read() async -> [String] {
      var texts: [String] = []
      var bytes = 0
      do {
        while texts.count < ahead, bytes < extractor.configuration.lookAheadBytes / 2,
          let text = try await source.next()
        {
          texts.append(text)
          bytes += text.utf8.count
        }
      } catch {
        failure = error
      }
      return texts
    }
  }
}
