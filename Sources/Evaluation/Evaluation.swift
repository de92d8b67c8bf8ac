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
  private let aliases: Aliases
  private let locations: Aliases

  /// An evaluation; nothing is computed yet.
  public init(
    _ sentences: [Sentence], scorer: Scorer, aliases: Aliases = Aliases(),
    locations: Aliases = Aliases()
  ) {
    (self.sentences, self.scorer) = (sentences, scorer)
    (self.aliases, self.locations) = (aliases, locations)
  }

  /// Every sentence judged, with the predictions whose score is above a threshold; those without a
  /// score always count.
  public func judgements(above threshold: Double? = nil) -> [Judgement] {
    sentences.map { sentence in
      let kept = sentence.predicted.filter { prediction in
        guard let threshold, let score = prediction.score else { return true }
        return score > threshold
      }
      return scorer.judge(
        sentence.text, gold: sentence.gold, predicted: kept.map(\.statement), aliases: aliases,
        locations: locations)
    }
  }

  /// Counts of all judgements.
  public func total(_ judgements: [Judgement]) -> Counts {
    judgements.reduce(into: Counts()) { $0 += $1.counts(scorer) }
  }

  /// Counts of each predicate that occurs, the most frequent in the gold file first.
  public func byPredicate(_ judgements: [Judgement]) -> [(predicate: String, counts: Counts)] {
    var all: [String: Counts] = [:]
    for judgement in judgements {
      let names = Set(
        judgement.gold.map(\.statement.predicate) + judgement.predicted.map(\.statement.predicate))
      for name in names {
        all[name, default: Counts()] += judgement.counts(scorer, predicate: name)
      }
    }
    return all.map { ($0.key, $0.value) }
      .sorted { ($1.counts.gold, $0.predicate) < ($0.counts.gold, $1.predicate) }
  }

  /// One point of a sweep.
  public struct Point: Sendable, Hashable {
    /// Scores above it count.
    public var threshold: Double
    /// What they give.
    public var counts: Counts
  }

  /// The counts at thresholds spread over the scores that there are; empty without scores.
  ///
  /// A run at a low threshold holds the answers of every higher one, so no model runs again.
  public func sweep(points: Int = 41) -> [Point] {
    let scores = sentences.flatMap { $0.predicted.compactMap(\.score) }.sorted()
    guard let least = scores.first else { return [] }
    let chosen = (0..<points).map { scores[$0 * (scores.count - 1) / max(1, points - 1)] }
    var thresholds = Set(chosen.map { ($0 * 100).rounded() / 100 }.filter { $0 >= least })
    thresholds.insert(least.nextDown)
    if least < 0 { thresholds.insert(0) }
    return thresholds.sorted().map { Point(threshold: $0, counts: total(judgements(above: $0))) }
  }
}
