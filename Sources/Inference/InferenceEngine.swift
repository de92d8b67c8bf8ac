public import GlobalPointer

/// The seam between text and models: encodings in, spans and triple candidates out.
///
/// Dense tensors never cross it. An engine reads them where they arrive, or never makes them.
public protocol InferenceEngine: Sendable {
  /// What the model takes and gives.
  var shape: ModelShape { get }
  /// What one call may hold, and how many calls at once keep the engine busy.
  var limits: EngineLimits { get }

  /// The spans and triples of every sentence of the batch above the threshold, in batch order.
  ///
  /// - Throws: `InferenceError`, or `CancellationError` when the task is cancelled.
  func infer(_ batch: InferenceBatch, threshold: Float) async throws -> [SentenceCandidates]

  /// The four logits of each query in one sentence, whatever the threshold.
  ///
  /// - Throws: as `infer`.
  func scores(of queries: [TripleQuery], in ids: [Int32]) async throws -> [ScoreParts]
}

/// The sizes that a model fixes.
public struct ModelShape: Sendable, Hashable {
  /// Rows of the word embedding; token ids are below it.
  public var vocabularySize: Int
  /// P, the heads of so_head and so_tail.
  public var predicates: Int
  /// The longest sentence in tokens, `[CLS]` and `[SEP]` included.
  public var maximumTokens: Int

  /// The sizes of a model.
  public init(vocabularySize: Int, predicates: Int, maximumTokens: Int) {
    (self.vocabularySize, self.predicates) = (vocabularySize, predicates)
    self.maximumTokens = maximumTokens
  }
}

/// What one call of an engine may hold.
public struct EngineLimits: Sendable, Hashable {
  /// Sentences in one batch.
  public var batchRows: Int
  /// Tokens in one batch, all rows together.
  public var batchTokens: Int
  /// Calls in flight that keep the engine busy; more only wait.
  public var concurrency: Int
  /// Whether rows are padded to one length, so that equal lengths cost least.
  public var padsRows: Bool
  /// Cells in one batch: rows times the square of the padded length.
  public var batchCells: Int

  /// Limits; each at least 1.
  public init(
    batchRows: Int, batchTokens: Int, concurrency: Int, padsRows: Bool = false,
    batchCells: Int = .max
  ) {
    (self.batchRows, self.batchTokens) = (batchRows, batchTokens)
    (self.concurrency, self.padsRows, self.batchCells) = (concurrency, padsRows, batchCells)
  }
}

/// Sentences of different lengths, one after the other: no padding.
public struct InferenceBatch: Sendable, Hashable {
  /// Token ids of all rows, `[CLS]` first and `[SEP]` last in each.
  public private(set) var ids: [Int32] = []
  /// Where each row begins, and the end: `rowCount + 1` entries.
  public private(set) var rows: [Int] = [0]
  /// The length that an engine which pads shall pad to; nil takes the longest row's.
  public var paddedLength: Int?

  /// An empty batch.
  public init() {}

  /// A batch of the given rows.
  public init(_ rows: some Sequence<[Int32]>) {
    for row in rows { append(row) }
  }

  /// Adds one sentence.
  public mutating func append(_ sentence: some Sequence<Int32>) {
    ids.append(contentsOf: sentence)
    rows.append(ids.count)
  }

  /// The number of sentences.
  public var rowCount: Int { rows.count - 1 }

  /// The tokens of one row as a range of `ids`. Traps unless `0 <= row < rowCount`.
  public func range(of row: Int) -> Range<Int> { rows[row]..<rows[row + 1] }
}

/// A triple whose logits are asked for.
public struct TripleQuery: Sendable, Hashable {
  /// The predicate's id.
  public var predicate: Int
  /// The subject's tokens.
  public var subject: TokenSpan
  /// The object's tokens.
  public var object: TokenSpan

  /// A question about one triple.
  public init(predicate: Int, subject: TokenSpan, object: TokenSpan) {
    (self.predicate, self.subject, self.object) = (predicate, subject, object)
  }
}
