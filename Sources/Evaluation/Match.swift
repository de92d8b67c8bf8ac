/// One sentence's triples, each with whether the other side holds it.
public struct Judgement: Sendable {
  /// The sentence.
  public var text: String
  /// Predicted triples, each once, and whether it is right.
  public var predicted: [(statement: Statement, isRight: Bool)]
  /// Gold triples, each once, and whether it was found.
  public var gold: [(statement: Statement, isFound: Bool)]
}

/// What of one sentence's two sides belongs together. It does not depend on a threshold: triples
/// are compared once and then judged at any number of thresholds.
struct Match: Sendable {
  /// The distinct predicted triples, in the order of the file.
  let predicted: [Statement]
  /// For each of them whether it is right.
  let isRight: [Bool]
  /// Every prediction of the file: which of `predicted` it is, and its score.
  let said: [(index: Int, score: Double?)]
  /// The gold triples that count, each once.
  let gold: [Statement]
  /// For each of them the predicted ones that find it.
  private let finders: [[Int]]
  /// For each predicted one those that it repeats if they count; empty where names are all.
  private let repeated: [[Int]]

  init(_ sentence: Evaluation.Sentence, _ synonymy: Synonymy) throws {
    let (predicted, places, _) = Self.distinct(sentence.predicted.lazy.map(\.statement))
    self.predicted = predicted
    said = zip(places, sentence.predicted).map { ($0, $1.score) }
    let (asked, _, placeOfAsked) = Self.distinct(sentence.gold)
    if synonymy.isEqualityAlone {
      gold = asked
      let hits = predicted.map { placeOfAsked[$0] }
      isRight = hits.map { $0 != nil }
      var finders = [[Int]](repeating: [], count: asked.count)
      for (index, hit) in hits.enumerated() { if let hit { finders[hit].append(index) } }
      (self.finders, repeated) = (finders, [])
    } else {
      gold = try Self.counted(asked, synonymy)
      (isRight, finders) = try Self.compared(predicted, gold, synonymy)
      repeated = try predicted.map { statement in
        try Task.checkCancellation()
        return predicted.indices.filter { synonymy.repeats(statement, predicted[$0]) }
      }
    }
  }

  /// Each statement once, in order; which of them each of the given ones is; and their places.
  private static func distinct(
    _ statements: some Collection<Statement>
  ) -> ([Statement], [Int], [Statement: Int]) {
    var places: [Statement: Int] = [:]
    var kept: [Statement] = []
    let indices = statements.map { statement in
      if let place = places[statement] { return place }
      places[statement] = kept.count
      kept.append(statement)
      return kept.count - 1
    }
    return (kept, indices, places)
  }

  /// The gold triples that count: DuIE 1 has all, DuIE 2 of those that say the same the first.
  private static func counted(
    _ gold: [Statement], _ synonymy: Synonymy
  ) throws -> [Statement] {
    guard synonymy.scorer == .duie2 else { return gold }
    return try gold.reduce(into: []) { kept, statement in
      try Task.checkCancellation()
      if !kept.contains(where: { synonymy.repeats(statement, $0) }) { kept.append(statement) }
    }
  }

  private static func compared(
    _ predicted: [Statement], _ gold: [Statement], _ synonymy: Synonymy
  ) throws -> ([Bool], [[Int]]) {
    let isRight = try predicted.map { said in
      try Task.checkCancellation()
      return gold.contains { synonymy.makesRight(said, by: $0) }
    }
    let finders = try gold.map { wanted in
      try Task.checkCancellation()
      return predicted.indices.filter { synonymy.finds(wanted, by: predicted[$0]) }
    }
    return (isRight, finders)
  }
}

extension Match {
  /// What counts of the predictions whose score is above a threshold; those without a score always
  /// do. `isSaid` is of all `predicted`, `kept` are those that repeat none before them.
  private func selection(above threshold: Double?) -> (isSaid: [Bool], kept: [Int]) {
    var isSaid = [Bool](repeating: false, count: predicted.count)
    var kept: [Int] = []
    var isKept = isSaid
    for (index, score) in said where !isSaid[index] {
      if let threshold, let score, score <= threshold { continue }
      isSaid[index] = true
      if !repeated.isEmpty, repeated[index].contains(where: { isKept[$0] }) { continue }
      isKept[index] = true
      kept.append(index)
    }
    return (isSaid, kept)
  }

  /// The predicted triples that count without a threshold.
  var kept: [Int] { selection(above: nil).kept }

  /// The sentence judged on the predictions whose score is above a threshold.
  func judgement(_ text: String, above threshold: Double?) -> Judgement {
    let (isSaid, kept) = selection(above: threshold)
    return Judgement(
      text: text, predicted: kept.map { (predicted[$0], isRight[$0]) },
      gold: zip(gold, finders).map { ($0, $1.contains { isSaid[$0] }) })
  }

  /// The counts of that judgement.
  func counts(above threshold: Double?) -> Counts {
    let (isSaid, kept) = selection(above: threshold)
    var counts = Counts()
    (counts.predicted, counts.gold) = (kept.count, gold.count)
    counts.right = kept.count { isRight[$0] }
    counts.found = finders.count { $0.contains { isSaid[$0] } }
    return counts
  }
}
