internal import Texts

/// A gold file and a file of predictions, sentence by sentence.
public struct Evaluation: Sendable {
  /// A sentence of the gold file with what was predicted of it.
  public struct Sentence: Sendable {
    /// The text, by which the two files are joined.
    public var text: String
    /// Its gold triples.
    public var gold: [Statement]
    /// Its predicted triples.
    public var predicted: [Prediction]

    /// A sentence.
    public init(text: String, gold: [Statement], predicted: [Prediction]) {
      (self.text, self.gold, self.predicted) = (text, gold, predicted)
    }
  }

  /// The scorer.
  public let scorer: Scorer
  /// All sentences of the gold file.
  public let sentences: [Sentence]
  let matches: [Match]

  /// Compares the two sides of every sentence.
  ///
  /// - Throws: `CancellationError` when the task is cancelled.
  public init(
    _ sentences: [Sentence], scorer: Scorer, aliases: Aliases = Aliases(),
    locations: Aliases = Aliases()
  ) throws {
    (self.sentences, self.scorer) = (sentences, scorer)
    let synonymy = Synonymy(scorer: scorer, aliases: aliases, locations: locations)
    matches = try sentences.cancellableMap { try Match($0, synonymy) }
  }

  /// Every sentence judged, with the predictions whose score is above a threshold; those without a
  /// score always count.
  ///
  /// - Throws: `CancellationError` when the task is cancelled.
  public func judgements(above threshold: Double? = nil) throws -> [Judgement] {
    try matches.indices.cancellableMap {
      matches[$0].judgement(sentences[$0].text, above: threshold)
    }
  }

  /// Counts of each sentence, with the predictions whose score is above a threshold.
  ///
  /// - Throws: `CancellationError` when the task is cancelled.
  public func counts(above threshold: Double? = nil) throws -> [Counts] {
    try matches.cancellableMap { $0.counts(above: threshold) }
  }

  /// Counts of all judgements.
  public func total(_ judgements: [Judgement]) -> Counts {
    judgements.reduce(into: Counts()) { $0 += $1.counts }
  }

  /// Counts of each predicate that occurs, the most frequent in the gold file first.
  public func byPredicate(_ judgements: [Judgement]) -> [(predicate: String, counts: Counts)] {
    var all: [ExactText: Counts] = [:]
    for judgement in judgements {
      for (statement, isRight) in judgement.predicted {
        all[ExactText(statement.predicate), default: Counts()].predicted += 1
        if isRight { all[ExactText(statement.predicate)]?.right += 1 }
      }
      for (statement, isFound) in judgement.gold {
        all[ExactText(statement.predicate), default: Counts()].gold += 1
        if isFound { all[ExactText(statement.predicate)]?.found += 1 }
      }
    }
    return all.map { ($0.key.text, $0.value) }
      .sorted { ($1.1.gold, $0.0) < ($0.1.gold, $1.0) }
  }

  /// Each predicted triple's highest score, and whether it is right; without scores none.
  ///
  /// - Throws: `CancellationError` when the task is cancelled.
  public func samples() throws -> [Calibration.Sample] {
    try matches.cancellableMap(\.samples).flatMap(\.self)
  }
}

extension Collection {
  /// As `map`, looking now and then whether anyone still wants the result.
  func cancellableMap<Result>(_ transform: (Element) throws -> Result) throws -> [Result] {
    var results: [Result] = []
    results.reserveCapacity(count)
    for element in self {
      if results.count & 0xFF == 0 { try Task.checkCancellation() }
      results.append(try transform(element))
    }
    return results
  }
}
