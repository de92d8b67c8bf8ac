package import GlobalPointer
package import Inference
package import WordPiece

/// A model by rule: every 甲 is a subject, every 乙 an object, each pair a triple of predicate 0
/// whose score falls with distance.
///
/// A row with 坏 is refused by name, as one with a NaN would be; one with 毒 makes the whole call
/// fail, as a crash in a server would.
package struct RuleEngine: InferenceEngine {
  /// What happens at the start of each call, with its batch: tests count, wait or fail there.
  package typealias Hook = @Sendable (InferenceBatch) async throws(InferenceError) -> Void

  package static let tokens = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "甲", "乙", "丙", "。", "坏", "毒", "1979",
  ]
  package let vocabulary: Vocabulary
  package let shape: ModelShape
  package let limits: EngineLimits
  package let identity = EngineIdentity(engine: "rule", model: "甲乙", mode: "test")
  package var statistics: EngineStatistics { EngineStatistics() }
  private let hook: Hook

  /// An engine over `tokens`.
  package init(
    maximumTokens: Int = 12,
    limits: EngineLimits = EngineLimits(batchRows: 3, batchTokens: 30, concurrency: 2),
    hook: @escaping Hook = { _ throws(InferenceError) in }
  ) throws {
    vocabulary = try Vocabulary(tokens: Self.tokens)
    shape = ModelShape(
      vocabularySize: vocabulary.count, predicateCount: 1, maximumTokens: maximumTokens)
    (self.limits, self.hook) = (limits, hook)
  }

  package func run(_ batch: InferenceBatch, threshold: Float) async throws(InferenceError)
    -> [SentenceCandidates]
  {
    try await hook(batch)
    let rows = (0..<batch.rowCount).map { Array(batch.ids[batch.range(of: $0)]) }
    if rows.contains(where: { has("毒", $0) }) {
      throw InferenceError(code: .engineFailure, message: "the model fell over")
    }
    return try rows.enumerated().map { row, ids throws(InferenceError) in
      guard !has("坏", ids) else {
        throw InferenceError(code: .badLogits, message: "the row has a NaN", row: row)
      }
      return candidates(ids, threshold)
    }
  }

  package func runScores(of queries: [TripleQuery], in ids: [Int32]) async throws(InferenceError)
    -> [ScoreParts]
  {
    queries.map { query in
      let score = 8 - Float(abs(query.subject.start - query.object.start))
      return ScoreParts(subject: 9, object: 9, head: score, tail: score)
    }
  }

  package func close() async {}

  private func has(_ token: String, _ ids: [Int32]) -> Bool {
    vocabulary.id(of: token).map(ids.contains) ?? false
  }

  private func candidates(_ ids: [Int32], _ threshold: Float) -> SentenceCandidates {
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
