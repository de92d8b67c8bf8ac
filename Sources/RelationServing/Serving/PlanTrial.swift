internal import GlobalPointer
internal import Inference
internal import Triton

/// A sentence and the dense model's logits of it, against which compact models are held, so that a
/// stale, silent or wrong export is not taken for the model.
///
/// Both directions are looked at: what a compact answer names must be what the logits say, and what
/// the logits say most of all must be named.
struct PlanTrial: Sendable {
  /// One row; shorter ones are padded to the longest.
  let batch: InferenceBatch
  private let dense: DenseAnswer
  private let predicates: Int

  /// Spans of each kind whose pairs are looked for among the triples.
  private static let pairedSpans = 8
  private static let lengths = [16, 5]

  /// The sentences of a trial. A model of fixed length has one: its answers may be large.
  static func sentences(_ shape: ModelShape, of dense: ModelContract) -> [InferenceBatch] {
    let longest = min(shape.maximumTokens, dense.tokens ?? .max)
    return lengths.prefix(dense.tokens == nil ? 2 : 1).map { length in
      let ids = (0..<min(length, longest)).map {
        Int32(($0 * 397 + 11 * length) % shape.vocabularySize)
      }
      var batch = InferenceBatch([ids])
      batch.paddedLength = min(lengths[0], longest)
      return batch
    }
  }

  init(_ batch: InferenceBatch, _ dense: DenseAnswer, predicates: Int) {
    (self.batch, self.dense, self.predicates) = (batch, dense, predicates)
  }

  /// What differs; nil when nothing does.
  ///
  /// - Throws: `TritonError` of class `contract` when the answer names what is not.
  func difference(_ compact: CompactAnswer) throws -> String? {
    let tokens = batch.ids.count
    let possible = [0, 1].map { dense.spans(0, $0, tokens) }
    let broken = possible.joined().count { !$0.score.isFinite }
    guard (compact.notFiniteCount(0) == 0) == (broken == 0) else {
      return "it counts \(compact.notFiniteCount(0)) logits that are not finite, not \(broken)"
    }
    if broken > 0 { return nil }  // such a sentence is asked for densely
    var listed: [[ScoredSpan]] = []
    for kind in [0, 1] {
      listed.append(try compact.listedSpans(0, kind, tokens))
      if let found = difference(listed[kind], possible[kind], compact.spanLimit) { return found }
    }
    let triples = try compact.listedTriples(0, tokens)
    return difference(triples) ?? missing(from: triples, listed, compact.tripleLimit)
  }

  private func difference(
    _ listed: [ScoredSpan], _ possible: [ScoredSpan], _ limit: Int
  ) -> String? {
    let expected = Dictionary(uniqueKeysWithValues: possible.map { ($0.span, $0.score) })
    for found in listed {
      guard let score = expected[found.span], score.isClose(to: found.score) else {
        return "span \(found.span.text) with \(found.score), not \(expected[found.span] ?? .nan)"
      }
    }
    let named = Set(listed.map(\.span))
    let last = Self.bound(listed.map(\.score), limit)
    let missing = possible.first { $0.score > last && !named.contains($0.span) }
    return missing.map { "no span \($0.span.text), which has \($0.score)" }
  }

  /// What is above it must be named: nothing may be left out of a list with room, and only what is
  /// less than its last of a full one.
  private static func bound(_ scores: [Float], _ limit: Int) -> Float {
    guard scores.count == limit, let last = scores.filter(\.isFinite).min() else {
      return -.infinity
    }
    return last + Float.slack(at: last)
  }

  private func difference(_ triples: [TripleCandidate]) -> String? {
    for triple in triples {
      let expected = dense.scores(of: triple.query).all
      let agrees = zip(expected, triple.parts.all).allSatisfy { a, b in
        a.isClose(to: b) || (!a.isFinite && !b.isFinite)
      }
      guard agrees else { return "\(triple.parts.all) for logits of \(expected)" }
    }
    return nil
  }

  private func missing(
    from triples: [TripleCandidate], _ spans: [[ScoredSpan]], _ limit: Int
  ) -> String? {
    let named = Set(triples.map(\.query))
    let last = Self.bound(triples.map(\.parts.score), limit)
    let best = spans.map { $0.sorted { $0.score > $1.score }.prefix(Self.pairedSpans).map(\.span) }
    for subject in best[0] {
      for object in best[1] {
        for predicate in 0..<predicates {
          let query = TripleQuery(predicate: predicate, subject: subject, object: object)
          let parts = dense.scores(of: query)
          guard parts.all.allSatisfy(\.isFinite), parts.score > last, !named.contains(query) else {
            continue
          }
          return "no triple of predicate \(predicate), \(subject.text) and \(object.text), "
            + "which has \(parts.all)"
        }
      }
    }
    return nil
  }
}

extension TokenSpan {
  fileprivate var text: String { "\(start)...\(end)" }
}

extension TripleCandidate {
  fileprivate var query: TripleQuery {
    TripleQuery(predicate: predicate, subject: subject, object: object)
  }
}

extension ScoreParts {
  fileprivate var all: [Float] { [subject, object, head, tail] }
}
