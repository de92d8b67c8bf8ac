/// The sizes that a model fixes.
public struct ModelShape: Sendable, Hashable {
  /// Rows of the word embedding; token ids are below it.
  public var vocabularySize: Int
  /// P, the heads of so_head and so_tail.
  public var predicateCount: Int
  /// The longest sentence in tokens, `[CLS]` and `[SEP]` included.
  public var maximumTokens: Int

  /// The sizes of a model.
  public init(vocabularySize: Int, predicateCount: Int, maximumTokens: Int) {
    (self.vocabularySize, self.predicateCount) = (vocabularySize, predicateCount)
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
