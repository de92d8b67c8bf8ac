internal import GlobalPointer
internal import Inference
internal import Triton

/// Holds a compact model against the dense one that it answers for, so that a stale export is not
/// taken for the model.
struct PlanTrial {
  let client: TritonClient
  let shape: ModelShape
  let options: CallOptions

  /// Logits of one export differ by far less even in half precision, those of two by far more.
  private static let tolerance: Float = 0.1

  /// What differs on a sentence of 16 tokens; nil when nothing does.
  func difference(_ compact: ModelContract, _ dense: ModelContract) async throws -> String? {
    let length = min(16, shape.maximumTokens)
    let ids = (0..<length).map { Int32(($0 * 397 + 11) % shape.vocabularySize) }
    let batch = InferenceBatch([ids])
    let full = PaddedBatch(batch, rows: [0], length: dense.tokens)
    let logits = try DenseAnswer(
      try await client.infer(full.request(dense), options: options), dense, full,
      predicates: shape.predicates)
    let padded = PaddedBatch(batch, rows: [0], length: compact.tokens)
    let answer = try CompactAnswer(
      try await client.infer(padded.request(compact), options: options), compact, padded,
      predicates: shape.predicates)
    for triple in answer.triples(0) {
      let query = TripleQuery(
        predicate: triple.predicate, subject: triple.subject, object: triple.object)
      let expected = logits.scores(of: query)
      let pairs = zip(expected.all, triple.parts.all)
      guard pairs.allSatisfy({ abs($0 - $1) <= Self.tolerance + abs($0) / 50 }) else {
        return "\(triple.parts.all) for logits of \(expected.all)"
      }
    }
    return nil
  }
}

extension ScoreParts {
  fileprivate var all: [Float] { [subject, object, head, tail] }
}
