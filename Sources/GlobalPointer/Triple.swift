internal import Foundation

/// A piece of the source text.
public struct Mention: Hashable, Sendable {
  /// The source's own characters, never joined tokens.
  public var text: String
  /// UTF-8 byte offsets into the source.
  public var range: Range<Int>

  /// A piece of text and where it stands.
  public init(text: String, range: Range<Int>) {
    (self.text, self.range) = (text, range)
  }
}

/// A subject-predicate-object triple with its places in the source.
public struct Triple: Hashable, Sendable {
  /// The subject.
  public var subject: Mention
  /// The predicate's name.
  public var predicate: String
  /// The predicate's id in the schema.
  public var predicateID: Int
  /// The object.
  public var object: Mention
  /// The entity types, where the schema lists exactly one pair for the predicate.
  public var types: RelationSchema.Types?
  /// The four logits.
  public var parts: ScoreParts

  /// A triple from its parts.
  public init(
    subject: Mention, predicate: String, predicateID: Int, object: Mention,
    types: RelationSchema.Types?, parts: ScoreParts
  ) {
    (self.subject, self.predicate, self.predicateID) = (subject, predicate, predicateID)
    (self.object, self.types, self.parts) = (object, types, parts)
  }

  /// The smallest of the four logits: the triple is in the answer of any threshold below it.
  public var score: Float { parts.score }

  /// sigmoid(score), in 0...1. It is not calibrated: it orders triples, it is no probability.
  public var confidence: Float { 1 / (1 + exp(-score)) }

  /// The order of triples in a document: subject start, object start, predicate, the two ends.
  public static func precedes(_ a: Triple, _ b: Triple) -> Bool {
    let first = (
      a.subject.range.lowerBound, a.object.range.lowerBound, a.predicateID,
      a.subject.range.upperBound, a.object.range.upperBound
    )
    return first < (
      b.subject.range.lowerBound, b.object.range.lowerBound, b.predicateID,
      b.subject.range.upperBound, b.object.range.upperBound
    )
  }
}
