/// Tokens `start...end` of one sentence, `[CLS]` being token 0.
public struct TokenSpan: Hashable, Sendable, Comparable {
  /// The first token.
  public var start: Int32
  /// The last token, inclusive.
  public var end: Int32

  /// A span of tokens; `start <= end`.
  public init(start: Int, end: Int) {
    self.start = Int32(start)
    self.end = Int32(end)
  }

  /// By start, then by end.
  public static func < (a: TokenSpan, b: TokenSpan) -> Bool {
    (a.start, a.end) < (b.start, b.end)
  }
}

/// An entity span with its logit.
public struct ScoredSpan: Hashable, Sendable {
  /// Where it stands.
  public var span: TokenSpan
  /// Its entity logit, above the threshold.
  public var score: Float

  /// A span and its logit.
  public init(span: TokenSpan, score: Float) {
    self.span = span
    self.score = score
  }
}

/// The four logits that a triple needs above the threshold; as JSON four members.
public struct ScoreParts: Hashable, Sendable, Codable {
  /// entity[0] at the subject span.
  public var subject: Float
  /// entity[1] at the object span.
  public var object: Float
  /// so_head at the two first tokens.
  public var head: Float
  /// so_tail at the two last tokens.
  public var tail: Float

  /// The four logits.
  public init(subject: Float, object: Float, head: Float, tail: Float) {
    (self.subject, self.object, self.head, self.tail) = (subject, object, head, tail)
  }

  /// The smallest of the four: the triple is emitted at a threshold iff this is above it.
  public var score: Float { min(min(subject, object), min(head, tail)) }
}

/// A triple in token indices.
public struct TripleCandidate: Hashable, Sendable {
  /// The predicate's id in the schema.
  public var predicate: Int
  /// The subject's tokens.
  public var subject: TokenSpan
  /// The object's tokens.
  public var object: TokenSpan
  /// Its four logits.
  public var parts: ScoreParts

  /// A triple and its logits.
  public init(predicate: Int, subject: TokenSpan, object: TokenSpan, parts: ScoreParts) {
    (self.predicate, self.subject, self.object) = (predicate, subject, object)
    self.parts = parts
  }

  /// The stable order: subject start, object start, predicate, then the two ends.
  public static func precedes(_ a: TripleCandidate, _ b: TripleCandidate) -> Bool {
    let first = (a.subject.start, a.object.start, a.predicate, a.subject.end, a.object.end)
    return first < (b.subject.start, b.object.start, b.predicate, b.subject.end, b.object.end)
  }
}

/// What one sentence's logits hold above a threshold: spans and triples in stable order.
public struct SentenceCandidates: Hashable, Sendable {
  /// Subject spans by start, then end.
  public var subjects: [ScoredSpan]
  /// Object spans by start, then end.
  public var objects: [ScoredSpan]
  /// Triples in the order of `TripleCandidate.precedes`.
  public var triples: [TripleCandidate]

  /// Spans and triples, already in order.
  public init(subjects: [ScoredSpan], objects: [ScoredSpan], triples: [TripleCandidate]) {
    (self.subjects, self.objects, self.triples) = (subjects, objects, triples)
  }
}
