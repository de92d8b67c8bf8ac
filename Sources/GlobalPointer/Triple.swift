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
  /// What scores are divided by before they are read as log-odds (Guo et al., 2017); above 0.
  public var temperature: Float

  /// A triple from its parts.
  public init(
    subject: Mention, predicate: String, predicateID: Int, object: Mention,
    types: RelationSchema.Types?, parts: ScoreParts, temperature: Float = 1
  ) {
    (self.subject, self.predicate, self.predicateID) = (subject, predicate, predicateID)
    (self.object, self.types, self.parts) = (object, types, parts)
    self.temperature = temperature
  }

  /// The smallest of the four logits: the triple is in the answer of any threshold below it.
  public var score: Float { parts.score }

  /// sigmoid(score / temperature), in 0...1: as near to the chance that the triple is right as the
  /// temperature was fitted; at 1 it only orders triples.
  public var confidence: Float { 1 / (1 + exp(-score / temperature)) }

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
