/// How a triple counts as right. Source: the evaluation scripts that the data sets came with.
public enum Scorer: String, Sendable, CaseIterable {
  /// Objects are strings; a triple is right when the gold ones hold it, or hold it under other
  /// names; recall counts the right predictions.
  case duie1
  /// Objects are slots that all must match; synonymous triples count once; recall counts the gold
  /// triples that the predictions hold.
  case duie2
}

/// One sentence's triples, each with whether the other side holds it.
public struct Judgement: Sendable {
  /// The sentence.
  public var text: String
  /// Predicted triples, each once, and whether it is right.
  public var predicted: [(statement: Statement, isRight: Bool)]
  /// Gold triples, each once, and whether it was found.
  public var gold: [(statement: Statement, isFound: Bool)]
}

extension Scorer {
  /// Judges one sentence.
  ///
  /// - Parameter locations: for DuIE 1, places that may stand for a gold object.
  public func judge(
    _ text: String, gold: [Statement], predicted: [Statement], aliases: Aliases,
    locations: Aliases = Aliases()
  ) -> Judgement {
    switch self {
    case .duie1:
      let (gold, predicted) = (Self.unique(gold), Self.unique(predicted))
      let all = Set(gold)
      let hits = predicted.map { Self.gold(of: $0, in: all, gold, aliases, locations) }
      let found = Set(hits.compactMap(\.self))
      return Judgement(
        text: text, predicted: zip(predicted, hits).map { ($0, $1 != nil) },
        gold: gold.map { ($0, found.contains($0)) })
    case .duie2:
      let gold = Self.withoutSynonyms(gold, aliases)
      let kept = Self.withoutSynonyms(predicted, aliases)
      return Judgement(
        text: text, predicted: kept.map { ($0, Self.holds(gold, $0, aliases)) },
        gold: gold.map { ($0, Self.holds(predicted, $0, aliases)) })
    }
  }

  private static func unique(_ statements: [Statement]) -> [Statement] {
    var seen: Set<Statement> = []
    return statements.filter { seen.insert($0).inserted }
  }

  /// The gold triple that makes a predicted one right (DuIE 1); nil when it is wrong.
  private static func gold(
    of statement: Statement, in all: Set<Statement>, _ gold: [Statement], _ aliases: Aliases,
    _ locations: Aliases
  ) -> Statement? {
    if all.contains(statement) { return statement }
    let value = statement.value
    return gold.first { candidate in
      guard candidate.predicate == statement.predicate else { return false }
      let isNamed =
        aliases.allow(statement.subject, for: candidate.subject)
        && aliases.allow(value, for: candidate.value)
      let isPlaced =
        ExactText(candidate.subject) == ExactText(statement.subject)
        && locations.lists(candidate.value, value)
      return isNamed || isPlaced
    }
  }

  private static func withoutSynonyms(
    _ statements: [Statement], _ aliases: Aliases
  ) -> [Statement] {
    statements.reduce(into: []) { kept, statement in
      if !holds(kept, statement, aliases) { kept.append(statement) }
    }
  }

  /// Whether one of `statements` is this one or its synonym (DuIE 2).
  private static func holds(
    _ statements: [Statement], _ wanted: Statement, _ aliases: Aliases
  ) -> Bool {
    statements.contains { candidate in
      candidate == wanted
        || candidate.predicate == wanted.predicate
          && aliases.allow(wanted.subject, for: candidate.subject)
          && areSynonyms(candidate.object, wanted.object, aliases)
    }
  }

  /// Equal slots, and each value a name of the other's.
  private static func areSynonyms(
    _ a: [String: String], _ b: [String: String], _ aliases: Aliases
  ) -> Bool {
    guard a.count == b.count else { return false }
    return a.allSatisfy { slot, value in
      guard let other = b[slot] else { return false }
      return aliases.allow(value, for: other) && aliases.allow(other, for: value)
    }
  }
}
