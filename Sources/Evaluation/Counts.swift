/// Counts over sentences, and the rates they give.
public struct Counts: Sendable, Hashable {
  /// Predicted triples that are right.
  public var right = 0
  /// Predicted triples.
  public var predicted = 0
  /// Gold triples that count as found.
  public var found = 0
  /// Gold triples.
  public var gold = 0

  /// None.
  public init() {}

  /// Right among the predicted; 0 when there are none.
  public var precision: Double { predicted == 0 ? 0 : Double(right) / Double(predicted) }
  /// Found among the gold; 0 when there are none.
  public var recall: Double { gold == 0 ? 0 : Double(found) / Double(gold) }
  /// Their harmonic mean.
  public var f1: Double {
    let sum = precision + recall
    return sum > 0 ? 2 * precision * recall / sum : 0
  }

  static func += (a: inout Counts, b: Counts) {
    a.right += b.right
    a.predicted += b.predicted
    a.found += b.found
    a.gold += b.gold
  }

  static func -= (a: inout Counts, b: Counts) {
    a.right -= b.right
    a.predicted -= b.predicted
    a.found -= b.found
    a.gold -= b.gold
  }
}

extension Judgement {
  /// This sentence's counts.
  public var counts: Counts {
    var counts = Counts()
    (counts.predicted, counts.gold) = (predicted.count, gold.count)
    counts.right = predicted.count(where: \.isRight)
    counts.found = gold.count(where: \.isFound)
    return counts
  }
}
