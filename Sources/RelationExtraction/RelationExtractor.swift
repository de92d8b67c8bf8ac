public import GlobalPointer
public import Inference
internal import Limiting
public import Logging
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
    /// Ids of the predicates that are kept, such as `schema.ids(of:)` gives; nil keeps all.
    public var predicates: Set<Int>?
    /// Tokens that neighbouring windows of a long document share.
    public var windowOverlap = 64
    /// Documents read ahead of the consumer, and so held in memory. Nil follows the engine: what
    /// keeps all its calls busy while the slowest of them is on its way.
    public var lookAhead: Int?
    /// UTF-8 bytes of text read ahead, give or take a document; reading stops at whichever limit
    /// comes first. Nil follows the documents, at so many bytes that short texts never reach it.
    public var lookAheadBytes: Int?
    /// Sentences in a row that the engine may fail on before it is given up: one that fails on
    /// every sentence is broken, and the sentences are not.
    public var failureLimit = 100
    /// What happens to sentences that an engine cannot read is told here; by default nowhere.
    public var logger = Logger(label: "spo.extraction") { _ in SwiftLogNoOpLogHandler() }

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
  let failures: FailureCount

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
    failures = FailureCount(limit: configuration.failureLimit)
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
  ///
  /// - Throws: `InferenceError`; `CancellationError` when the task is cancelled.
  public func extract(_ text: String) async throws -> [Triple] {
    try await extract(batch: [text])[0].triples
  }

  /// The extractions of a stream of texts, in input order, read as they are consumed.
  public func extract<Source: AsyncSequence & Sendable>(
    _ texts: Source
  ) -> ExtractionStream<Source> where Source.Element == String {
    extract(texts) { $0 }
  }

  /// The extractions of a stream of documents, in input order, read as they are consumed.
  ///
  /// Reading stays at most `lookAhead` documents and about `lookAheadBytes` ahead of the consumer.
  /// Within that as many batches are under way as the engine takes, each as full as what was read
  /// allows, and a slow one holds up none of the others; what has come does not wait for what has not. Cancelling the consuming task ends the work
  /// at once.
  /// - Parameter text: the text of a document, such as `\.body`; nil passes a document through
  ///   with no triples.
  public func extract<Source: AsyncSequence & Sendable>(
    _ documents: Source, text: @escaping @Sendable (Source.Element) -> String?
  ) -> ExtractionStream<Source> where Source.Element: Sendable {
    ExtractionStream(extractor: self, source: documents, text: text)
  }

  /// The extractions of a few texts that are read together; `firstIndex` numbers them.
  ///
  /// - Throws: `InferenceError` when the engine can go on with no text; `CancellationError`.
  public func extract(
    batch texts: [String], firstIndex: Int = 0
  ) async throws -> [Extraction<String>] {
    try await extract(batch: texts, firstIndex: firstIndex) { $0 }
  }

  func extract<Document: Sendable>(
    batch documents: [Document], firstIndex: Int, text: (Document) -> String?
  ) async throws -> [Extraction<Document>] {
    let texts = documents.map(text)
    let reading = BatchReading(extractor: self, texts: texts.compactMap(\.self))
    return Self.extractions(documents, texts, try await reading.results(), from: firstIndex)
  }

  /// What was read of the documents that have a text, in their places among all.
  static func extractions<Document: Sendable>(
    _ documents: [Document], _ texts: [String?], _ results: [BatchReading.DocumentResult],
    from firstIndex: Int
  ) -> [Extraction<Document>] {
    var results = results[...]
    return zip(documents, texts).enumerated().map { place, pair in
      let read = pair.1 == nil ? nil : results.popFirst()
      return Extraction(
        index: firstIndex + place, document: pair.0, result: read?.triples ?? .success([]),
        windows: read?.windows ?? 0)
    }
  }
}
