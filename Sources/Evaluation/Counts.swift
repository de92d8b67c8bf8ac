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
}

extension Judgement {
  /// This sentence's counts, of one predicate or of all.
  ///
  /// DuIE 1's recall counts right predictions, DuIE 2's gold triples that were found.
  public func counts(_ scorer: Scorer, predicate: String? = nil) -> Counts {
    var counts = Counts()
    for (statement, isRight) in predicted where predicate == nil || statement.predicate == predicate
    {
      counts.predicted += 1
      if isRight { counts.right += 1 }
    }
    for (statement, isFound) in gold where predicate == nil || statement.predicate == predicate {
      counts.gold += 1
      if isFound { counts.found += 1 }
    }
    if scorer == .duie1 { counts.found = counts.right }
    return counts
  }
}
