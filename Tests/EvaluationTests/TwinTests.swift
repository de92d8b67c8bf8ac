import Testing

@testable import Evaluation

/// The scorers' rules written down plainly, a threshold at a time, on words that need no folding.
private struct Twin {
  typealias Triple = (s: String, p: String, o: String)
  let scorer: Scorer
  let aliases: [String: Set<String>]
  let locations: [String: Set<String>]

  private func names(_ name: String) -> Set<String> { aliases[name, default: []].union([name]) }

  private func isSame(_ a: Triple, _ b: Triple) -> Bool {
    a.p == b.p && names(a.s).contains(b.s) && names(a.o).contains(b.o)
      && (scorer == .duie1 || names(b.o).contains(a.o))
  }

  private func isPlaced(_ said: Triple, _ gold: Triple) -> Bool {
    scorer == .duie1 && said.p == gold.p && names(said.s).contains(gold.s)
      && locations[gold.o, default: []].contains(said.o)
  }

  private func distinct(_ triples: [Triple]) -> [Triple] {
    triples.reduce(into: []) { kept, triple in
      if !kept.contains(where: { isSame(triple, $0) }) { kept.append(triple) }
    }
  }

  func counts(_ gold: [Triple], _ said: [Triple]) -> Counts {
    var counts = Counts()
    let unique = gold.reduce(into: [Triple]()) { kept, triple in
      if !kept.contains(where: { $0 == triple }) { kept.append(triple) }
    }
    let asked = scorer == .duie1 ? unique : distinct(gold)
    let kept = distinct(said)
    (counts.gold, counts.predicted) = (asked.count, kept.count)
    counts.right = kept.count { said in
      asked.contains { isSame(said, $0) || isPlaced(said, $0) }
    }
    counts.found = asked.count { wanted in
      said.contains {
        scorer == .duie1 ? isSame($0, wanted) || isPlaced($0, wanted) : isSame(wanted, $0)
      }
    }
    return counts
  }
}

@Suite struct TwinTests {
  private static let words = ["a", "b", "c", "d", "e"]

  private func word() -> String { Self.words.randomElement()! }

  private func triple() -> Twin.Triple { (word(), ["p", "q"].randomElement()!, word()) }

  private func table() -> [String: Set<String>] {
    Dictionary((0..<Int.random(in: 0...4)).map { _ in (word(), Set([word(), word()])) }) { $1 }
  }

  private func read(_ table: [String: Set<String>]) -> Aliases {
    Aliases(lines: table.map { ([$0.key] + $0.value).joined(separator: "\t") })
  }

  private func statement(_ triple: Twin.Triple) -> Statement {
    Statement(subject: triple.s, predicate: triple.p, object: triple.o)
  }

  @Test(arguments: Scorer.allCases)
  func `Counts at every threshold are those of the rules written down plainly`(
    _ scorer: Scorer
  ) throws {
    for _ in 0..<200 {
      let twin = Twin(scorer: scorer, aliases: table(), locations: table())
      let rows = (0..<Int.random(in: 1...6)).map { _ in
        (
          gold: (0..<Int.random(in: 0...4)).map { _ in triple() },
          said: (0..<Int.random(in: 0...6)).map { _ in
            (triple(), Bool.random() ? Double(Int.random(in: -3...3)) : nil)
          }
        )
      }
      let sentences = rows.enumerated().map { index, row in
        Evaluation.Sentence(
          text: "\(index)", gold: row.gold.map(statement),
          predicted: row.said.map { Prediction(statement($0.0), score: $0.1) })
      }
      let evaluation = try Evaluation(
        sentences, scorer: scorer, aliases: read(twin.aliases), locations: read(twin.locations))
      for point in try evaluation.sweep() {
        let plain = rows.reduce(into: Counts()) { sum, row in
          let said = row.said.filter { $0.1.map { $0 > point.threshold } ?? true }.map(\.0)
          sum += twin.counts(row.gold, said)
        }
        #expect(point.counts == plain)
        let judged = try evaluation.judgements(above: point.threshold)
        #expect(evaluation.total(judged) == plain)
        let counted = try evaluation.counts(above: point.threshold)
        #expect(counted.reduce(into: Counts()) { $0 += $1 } == plain)
      }
    }
  }

  @Test func `Of a slot that is named twice the last value counts`() {
    let twice = Statement(subject: "s", predicate: "p", object: [("x", "1"), ("x", "2")])
    #expect(twice == Statement(subject: "s", predicate: "p", object: [("x", "2")]))
    let two = Statement(subject: "s", predicate: "p", object: [("é", "1"), ("e\u{301}", "2")])
    #expect(two.slots.count == 2)
  }
}

@Suite struct CancellationTests {
  private static let sentences = (0..<2_000).map { number in
    let statement = Statement(subject: "s\(number)", predicate: "p", object: "o")
    return Evaluation.Sentence(
      text: "\(number)", gold: [statement],
      predicted: [Prediction(statement, score: Double(number))])
  }

  /// Runs a body whose task is cancelled before it begins.
  private func cancelled(_ body: @escaping @Sendable () throws -> Void) async {
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      try body()
    }
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test func `Bug: Ctrl-C did not stop what an evaluation computes`() async throws {
    let evaluation = try Evaluation(Self.sentences, scorer: .duie1)
    let counts = try evaluation.counts()
    await cancelled { _ = try Evaluation(Self.sentences, scorer: .duie1) }
    await cancelled { _ = try evaluation.judgements() }
    await cancelled { _ = try evaluation.counts() }
    await cancelled { _ = try evaluation.sweep() }
    await cancelled { _ = try evaluation.samples() }
    await cancelled { _ = try Bootstrap(counts, counts) }
    await cancelled { _ = try Calibration.fittedTemperature([(1, true), (1, false)]) }
  }

  @Test func `One sentence of many triples that have other names can be stopped, too`() async {
    let many = (0..<50).map { Statement(subject: "s\($0)", predicate: "p", object: "o") }
    await cancelled {
      for scorer in Scorer.allCases {
        _ = try scorer.judge("t", gold: many, predicted: many, aliases: Aliases(lines: ["a\tb"]))
      }
    }
  }

  @Test func `A loop that is cancelled on its way ends soon`() async {
    let seen = Task {
      var seen = 0
      let result = Result {
        try Array(0..<100_000).cancellableMap { number in
          seen += 1
          if number == 1_000 { withUnsafeCurrentTask { $0?.cancel() } }
        }
      }
      #expect(throws: CancellationError.self) { try result.get() }
      return seen
    }
    let count = await seen.value
    #expect(count > 1_000 && count <= 1_000 + 256)
  }
}
