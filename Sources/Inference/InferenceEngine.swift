public import GlobalPointer

/// The seam between text and models: encodings in, spans and triple candidates out.
///
/// Dense tensors never cross it. An engine reads them where they arrive, or never makes them.
/// Callers use `infer` and `scores` of the extension, which check what goes in and what comes out;
/// engines implement `run` and `runScores`, which may rely on those checks.
public protocol InferenceEngine: Sendable {
  /// What the model takes and gives.
  var shape: ModelShape { get }
  /// What one call may hold, and how many calls at once keep the engine busy.
  var limits: EngineLimits { get }
  /// Which model answers, and how.
  var identity: EngineIdentity { get }
  /// What it has done since it was made.
  var statistics: EngineStatistics { get }

  /// The spans and triples of every sentence of the batch above the threshold, in batch order.
  ///
  /// Called by `infer`, which has checked the batch, and counts the answers.
  func run(_ batch: InferenceBatch, threshold: Float) async throws(InferenceError)
    -> [SentenceCandidates]

  /// The four logits of each query in one sentence; called by `scores`, which has checked both.
  func runScores(of queries: [TripleQuery], in ids: [Int32]) async throws(InferenceError)
    -> [ScoreParts]

  /// Gives back what the engine holds elsewhere, such as memory shared with a server.
  ///
  /// Calls under way end as if cancelled or go on, but nothing leaks. It may be called twice.
  func close() async
}

extension InferenceEngine {
  /// The spans and triples of every sentence of the batch above the threshold, in batch order:
  /// exactly one answer for each row.
  ///
  /// - Throws: `InferenceError`: of code `invalidRequest` with the row for one that is too long or
  ///   has an id outside the vocabulary, `cancelled` when the task is cancelled.
  public func infer(_ batch: InferenceBatch, threshold: Float) async throws(InferenceError)
    -> [SentenceCandidates]
  {
    guard threshold.isFinite else {
      throw InferenceError(
        code: .invalidRequest, message: "the threshold is \(threshold), expected a finite logit")
    }
    for row in 0..<batch.rowCount { try check(batch.ids[batch.range(of: row)], row: row) }
    guard batch.rowCount > 0 else { return [] }
    try requireWanted()
    let answers = try await run(batch, threshold: threshold)
    guard answers.count == batch.rowCount else {
      throw InferenceError(
        code: .engineFailure,
        message: "\(identity) gave \(answers.count) answers to \(batch.rowCount) sentences")
    }
    return answers
  }

  /// The four logits of each query in one sentence, whatever the threshold.
  ///
  /// - Throws: as `infer`; of code `invalidRequest` for a query outside the sentence or the schema.
  public func scores(of queries: [TripleQuery], in ids: [Int32]) async throws(InferenceError)
    -> [ScoreParts]
  {
    try check(ids[...], row: 0)
    for query in queries { try check(query, tokens: ids.count) }
    guard !queries.isEmpty else { return [] }
    try requireWanted()
    let scores = try await runScores(of: queries, in: ids)
    guard scores.count == queries.count else {
      throw InferenceError(
        code: .engineFailure,
        message: "\(identity) gave \(scores.count) scores for \(queries.count) queries")
    }
    return scores
  }

  /// Runs `body` and closes the engine, whatever happens; closing is not cancelled with the task.
  public nonisolated(nonsending) func closing<Result>(
    _ body: nonisolated(nonsending) (Self) async throws -> Result
  ) async rethrows -> Result {
    do {
      let result = try await body(self)
      await Task { await close() }.value
      return result
    } catch {
      await Task { await close() }.value
      throw error
    }
  }

  private func requireWanted() throws(InferenceError) {
    if Task.isCancelled { throw .cancelled }
  }

  private func check(_ ids: ArraySlice<Int32>, row: Int) throws(InferenceError) {
    guard ids.count >= 2, ids.count <= shape.maximumTokens else {
      throw InferenceError(
        code: .invalidRequest,
        message: "row \(row) has \(ids.count) tokens, expected 2...\(shape.maximumTokens); "
          + "split the text into windows", row: row)
    }
    if let bad = ids.first(where: { $0 < 0 || Int($0) >= shape.vocabularySize }) {
      throw InferenceError(
        code: .invalidRequest,
        message: "row \(row) has token id \(bad), expected 0..<\(shape.vocabularySize); "
          + "tokenize with the bundle's own vocab.txt", row: row)
    }
  }

  private func check(_ query: TripleQuery, tokens: Int) throws(InferenceError) {
    let inside = [query.subject, query.object].allSatisfy {
      $0.start >= 0 && $0.start <= $0.end && Int($0.end) < tokens
    }
    guard inside, (0..<shape.predicateCount).contains(query.predicate) else {
      throw InferenceError(
        code: .invalidRequest,
        message: "the query \(query) lies outside \(tokens) tokens and "
          + "\(shape.predicateCount) predicates")
    }
  }
}
