internal import Texts

/// How a triple counts as right.
public enum Scorer: String, Sendable, CaseIterable {
  /// Objects are strings. A predicted triple is right when it is a gold one under its other names,
  /// or with a place that stands for the gold object; of predictions that are one another's names
  /// the first counts; recall counts the gold triples that are found.
  ///
  /// Source: `calc_pr.py` of baidu/information-extraction as corrected on 10 May 2019 (d0a536d).
  /// Its predictions lie in a set; here the order of the file says which of two names counts.
  case duie1
  /// Objects are slots that all must match; synonymous triples count once, on both sides; recall
  /// counts the gold triples that the predictions hold.
  ///
  /// Source: the official evaluation of DuIE 2.0 (2020).
  case duie2
}

/// What may stand for what, by the rules of one scorer.
struct Synonymy: Sendable {
  let scorer: Scorer
  let aliases: Aliases
  let locations: Aliases

  /// Whether statements can be the same only by being equal.
  var isEqualityAlone: Bool { aliases.isEmpty && (scorer == .duie2 || locations.isEmpty) }

  /// Whether a predicted triple is right by this gold one.
  func makesRight(_ predicted: Statement, by gold: Statement) -> Bool {
    switch scorer {
    case .duie1: reaches(predicted, gold)
    case .duie2: areSynonyms(predicted, gold)
    }
  }

  /// Whether this gold triple is found by a predicted one.
  func finds(_ gold: Statement, by predicted: Statement) -> Bool {
    switch scorer {
    case .duie1: reaches(predicted, gold)
    case .duie2: areSynonyms(gold, predicted)
    }
  }

  /// Whether a triple says nothing new beside an earlier one.
  func repeats(_ statement: Statement, _ earlier: Statement) -> Bool {
    switch scorer {
    case .duie1:
      statement.predicate.isExactly(earlier.predicate)
        && aliases.allow(statement.subject, for: earlier.subject)
        && aliases.allow(statement.value, for: earlier.value)
    case .duie2: areSynonyms(statement, earlier)
    }
  }

  /// DuIE 1: the gold triple under other names of the predicted one, or at a place within it.
  private func reaches(_ predicted: Statement, _ gold: Statement) -> Bool {
    predicted.predicate.isExactly(gold.predicate)
      && aliases.allow(predicted.subject, for: gold.subject)
      && (aliases.allow(predicted.value, for: gold.value)
        || locations.lists(gold.value, predicted.value))
  }

  /// DuIE 2: a name of the subject, equal slots, and each value a name of the other's.
  private func areSynonyms(_ wanted: Statement, _ candidate: Statement) -> Bool {
    wanted.predicate.isExactly(candidate.predicate)
      && aliases.allow(wanted.subject, for: candidate.subject)
      && wanted.slots.elementsEqual(candidate.slots) { a, b in
        a.name.isExactly(b.name) && aliases.allow(a.value, for: b.value)
          && aliases.allow(b.value, for: a.value)
      }
  }
}

extension Scorer {
  /// Judges one sentence.
  ///
  /// - Parameter locations: for DuIE 1, places that may stand for a gold object.
  /// - Throws: `CancellationError` when the task is cancelled.
  public func judge(
    _ text: String, gold: [Statement], predicted: [Statement], aliases: Aliases,
    locations: Aliases = Aliases()
  ) throws -> Judgement {
    let sentence = Evaluation.Sentence(
      text: text, gold: gold, predicted: predicted.map { Prediction($0) })
    let synonymy = Synonymy(scorer: self, aliases: aliases, locations: locations)
    return try Match(sentence, synonymy).judgement(text, above: nil)
  }
}
