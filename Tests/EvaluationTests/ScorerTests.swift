import Glibc
import Testing

@testable import Evaluation

@Suite struct ScorerTests {
  private func triple(_ s: String, _ p: String, _ o: String) -> Statement {
    Statement(subject: s, predicate: p, object: o)
  }

  private func counts(
    _ scorer: Scorer, gold: [Statement], predicted: [Statement], _ aliases: [String] = [],
    locations: [String] = []
  ) throws -> Counts {
    try scorer.judge(
      "t", gold: gold, predicted: predicted, aliases: Aliases(lines: aliases),
      locations: Aliases(lines: locations)
    ).counts
  }

  @Test(arguments: Scorer.allCases)
  func `Case and book marks do not count, repeats count once`(_ scorer: Scorer) throws {
    let gold = [triple("《ABC》", "作者", "甲"), triple("abc", "作者", "甲")]
    let said = [triple("Abc", "作者", "甲"), triple("《abc》", "作者", "甲"), triple("x", "作者", "甲")]
    let counts = try counts(scorer, gold: gold, predicted: said)
    #expect([counts.right, counts.predicted, counts.found, counts.gold] == [1, 2, 1, 1])
    #expect(counts.precision == 0.5 && counts.recall == 1)
  }

  @Test func `Only one pair of book marks, and only a pair, is taken off`() {
    let said = ["《《a》》", "《a", "a》", "《》", "《"].map { triple($0, "p", "o").subject }
    #expect(said == ["《a》", "《a", "a》", "", "《"])
  }

  @Test func `All slots of a DuIE 2 object must match`() throws {
    let full = Statement(subject: "s", predicate: "p", object: [("@value", "a"), ("inWork", "b")])
    let part = Statement(subject: "s", predicate: "p", object: [("@value", "a")])
    let other = Statement(subject: "s", predicate: "p", object: [("@value", "a"), ("inWork", "c")])
    for wrong in [part, other] {
      let counts = try counts(.duie2, gold: [full], predicted: [wrong])
      #expect(counts.right == 0 && counts.found == 0)
    }
    #expect(try counts(.duie2, gold: [full], predicted: [full]).f1 == 1)
  }

  @Test func `DuIE 1 takes other names of the prediction, and places for the gold object`() throws {
    let gold = [triple("北京", "首都", "中国")]
    let said = [triple("首都北京", "首都", "华夏")]
    let names = ["首都北京\t北京", "华夏\t中国"]
    #expect(try counts(.duie1, gold: gold, predicted: said, names).right == 1)
    #expect(try counts(.duie1, gold: gold, predicted: said, ["北京\t首都北京", "华夏\t中国"]).right == 0)
    let place = [triple("北京", "首都", "亚洲")]
    #expect(try counts(.duie1, gold: gold, predicted: place, locations: ["中国\t亚洲"]).right == 1)
    #expect(try counts(.duie1, gold: gold, predicted: place, locations: ["亚洲\t中国"]).right == 0)
  }

  @Test func `DuIE 2 wants an object's names both ways, a subject's from the asked side`() throws {
    let gold = [triple("北京", "首都", "中国")]
    let said = [triple("北京", "首都", "华夏")]
    #expect(try counts(.duie2, gold: gold, predicted: said, ["华夏\t中国"]).right == 0)
    let both = try counts(.duie2, gold: gold, predicted: said, ["华夏\t中国", "中国\t华夏"])
    #expect(both.right == 1 && both.found == 1)
    // The prediction's subject names the gold one: right, but the gold one is not found by it.
    let oneWay = try counts(
      .duie2, gold: gold, predicted: [triple("首都北京", "首都", "中国")], ["首都北京\t北京"])
    #expect(oneWay.right == 1 && oneWay.found == 0)
  }

  @Test
  func `DuIE 1 counts a gold triple once, and of predictions that are names of each other one`()
    throws
  {
    let gold = [triple("a", "p", "b"), triple("c", "p", "d")]
    let said = [triple("a", "p", "b"), triple("x", "p", "b")]
    let counts = try counts(.duie1, gold: gold, predicted: said, ["x\ta"])
    #expect([counts.right, counts.predicted, counts.found, counts.gold] == [1, 1, 1, 2])
    // Names count from the later one: the script asks whether its names are among what is kept.
    let other = try self.counts(.duie1, gold: gold, predicted: said.reversed(), ["x\ta"])
    #expect([other.right, other.predicted, other.found, other.gold] == [2, 2, 1, 2])
  }

  @Test func `DuIE 1 finds a gold triple by a prediction that only repeats another`() throws {
    let gold = [triple("a", "p", "b"), triple("c", "p", "b")]
    let said = [triple("x", "p", "b"), triple("y", "p", "b")]
    let counts = try counts(.duie1, gold: gold, predicted: said, ["x\ta", "y\tx\tc"])
    #expect([counts.right, counts.predicted, counts.found, counts.gold] == [1, 1, 2, 2])
  }

  @Test func `DuIE 1 takes a place also where the subject has another name`() throws {
    let gold = [triple("北京", "位于", "中国")]
    let said = [triple("帝都", "位于", "亚洲")]
    let counts = try counts(
      .duie1, gold: gold, predicted: said, ["帝都\t北京"], locations: ["中国\t亚洲"])
    #expect(counts.right == 1 && counts.found == 1)
    let unnamed = try self.counts(.duie1, gold: gold, predicted: said, locations: ["中国\t亚洲"])
    #expect(unnamed.right == 0 && unnamed.found == 0)
  }

  @Test(arguments: [
    ("ΑΣ", "ας"), ("ΣΑΣ ΑΣ.", "σας ας."), ("Σ", "σ"), ("ΑΣ\u{301}Α", "ασ\u{301}α"), ("1Σ", "1σ"),
    ("A'Σ", "a'ς"), ("İ", "i\u{307}"), ("ＡÉΩ", "ａéω"), ("ẞ", "ß"), ("𐐀", "𐐨"), ("ꙀǅⒶ", "ꙁǆⓐ"),
    ("张宇《a》", "张宇《a》"),
  ])
  func `Mentions are lower-cased as Python does`(_ written: String, _ lower: String) {
    #expect(written.lowercasedAsInPython().unicodeScalars.elementsEqual(lower.unicodeScalars))
  }

  @Test func `No code point's case is overlooked`() {
    for scalar in (0...0x10FFFF).compactMap(Unicode.Scalar.init) where scalar != "\u{3A3}" {
      let text = String(scalar)
      let lower = scalar.properties.lowercaseMapping
      if !text.lowercasedAsInPython().unicodeScalars.elementsEqual(lower.unicodeScalars) {
        Issue.record("U+\(String(scalar.value, radix: 16))")
      }
    }
  }

  @Test func `Bug: an alias that ends in U+200B lost it, other than in Python`() throws {
    let gold = [triple("a\u{200B}", "p", "b")]
    let said = [triple("x", "p", "b")]
    #expect(try counts(.duie1, gold: gold, predicted: said, ["x\ta\u{200B}"]).right == 1)
    #expect(try counts(.duie1, gold: gold, predicted: said, ["x\ta"]).right == 0)
    for space in "\t\u{B}\u{C}\u{1C}\u{1F}\u{85}\u{A0}\u{1680}\u{2007}\u{2028}\u{202F}\u{3000}" {
      let line = "\(space)x\ta\u{200B}\(space)"
      #expect(try counts(.duie1, gold: gold, predicted: said, [line]).right == 1)
    }
  }

  @Test func `Nothing predicted, nothing asked and nothing at all give 0`() throws {
    #expect(try counts(.duie2, gold: [triple("a", "p", "b")], predicted: []).f1 == 0)
    #expect(try counts(.duie2, gold: [], predicted: [triple("a", "p", "b")]).f1 == 0)
    #expect(try counts(.duie1, gold: [], predicted: []).f1 == 0)
  }
}

@Suite struct EvaluationTests {
  private func statement(_ text: String) -> Statement {
    let parts = text.split(separator: " ").map(String.init)
    return Statement(subject: parts[0], predicate: parts[1], object: parts[2])
  }

  @Test func `A sweep gives what filtering by hand gives`() throws {
    let scores = (0..<60).map { _ in Double.random(in: -4...6) }
    let sentences = scores.enumerated().map { index, score in
      Evaluation.Sentence(
        text: "t\(index)", gold: index % 3 == 0 ? [] : [statement("a p b")],
        predicted: [
          Prediction(statement(index % 4 == 0 ? "a p c" : "a p b"), score: score),
          Prediction(statement("a p b"), score: score - 1),
        ])
    }
    let evaluation = try Evaluation(sentences, scorer: .duie2)
    let sweep = try evaluation.sweep()
    #expect(sweep.count > 10 && sweep.contains { $0.threshold == 0 })
    #expect(try sweep[0].counts == evaluation.total(evaluation.judgements()))
    for point in sweep {
      let kept = sentences.map { sentence in
        Evaluation.Sentence(
          text: sentence.text, gold: sentence.gold,
          predicted: sentence.predicted.filter { $0.score! > point.threshold })  // all have one
      }
      let filtered = try Evaluation(kept, scorer: .duie2)
      #expect(try point.counts == filtered.total(filtered.judgements()))
    }
  }

  @Test func `Predicates add up to the whole`() throws {
    let names = ["p", "q", "r"]
    func some() -> [Statement] {
      (0..<Int.random(in: 0...5)).map { _ in
        statement("\("abc".randomElement()!) \(names.randomElement()!) \("xyz".randomElement()!)")
      }
    }
    for scorer in Scorer.allCases {
      let sentences = (0..<40).map {
        Evaluation.Sentence(text: "\($0)", gold: some(), predicted: some().map { Prediction($0) })
      }
      let evaluation = try Evaluation(sentences, scorer: scorer)
      let judgements = try evaluation.judgements()
      let parts = evaluation.byPredicate(judgements).map(\.counts)
      #expect(parts.reduce(into: Counts()) { $0 += $1 } == evaluation.total(judgements))
    }
  }

  private struct Fixed: Reach {
    let kind: ErrorClass?
    func obstacle(_ text: String, _ statement: Statement) -> ErrorClass? { kind }
  }

  @Test func `Errors are named by what they resemble`() throws {
    let gold = ["甲 父亲 乙", "上海 位于 中国", "丙 作者 丁", "戊 作曲 己", "庚 国籍 辛"]
    let said = ["乙 父亲 甲", "上海迪士尼 位于 中国", "丙 编剧 丁", "壬 民族 癸"]
    let judgement = try Scorer.duie1.judge(
      "t", gold: gold.map(statement), predicted: said.map(statement), aliases: Aliases())
    let errors = judgement.errors()
    let wrong = errors.filter(\.isPredicted).map(\.errorClass)
    #expect(wrong == [.direction, .boundary, .predicate, .spurious])
    let missed = errors.filter { !$0.isPredicted }.map(\.errorClass)
    #expect(missed == [.direction, .boundary, .predicate, .missing, .missing])
    let blocked = judgement.errors(Fixed(kind: .window)).filter { !$0.isPredicted }
    #expect(blocked.allSatisfy { $0.errorClass == .window && $0.resembles == nil })
  }

  @Test func `The fitted temperature is the one that made the samples`() throws {
    var random = SplitMix(state: 7)
    for truth in [0.5, 1, 3.0] {
      let samples: [Calibration.Sample] = (0..<20_000).map { _ in
        let score = Double.random(in: -6...6, using: &random)
        let chance = 1 / (1 + exp(-score / truth))
        return (score, Double.random(in: 0..<1, using: &random) < chance)
      }
      let fitted = try #require(try Calibration.fittedTemperature(samples))
      #expect(abs(fitted / truth - 1) < 0.06, "\(fitted)")
      #expect(Calibration(samples, temperature: fitted).error < 0.02)
      if truth == 3 { #expect(Calibration(samples).error > 0.1) }
    }
    let certain = try Calibration.fittedTemperature([(1, true)])
    #expect(certain == nil)
    let counts = Calibration([(100, true), (-100, false), (0, true)]).bins.map(\.count)
    #expect(counts == [1, 0, 0, 0, 0, 1, 0, 0, 0, 1])
  }

  @Test func `The bootstrap sees a difference, and none where there is none`() throws {
    func counts(_ right: Int) -> Counts {
      var counts = Counts()
      (counts.right, counts.found, counts.predicted, counts.gold) = (right, right, 2, 2)
      return counts
    }
    let weak = (0..<200).map { counts($0 % 3 == 0 ? 2 : 1) }
    let strong = (0..<200).map { _ in counts(2) }
    let clear = try Bootstrap(strong, weak)
    #expect(clear.difference > 0.3 && clear.reversed == 0 && clear.interval.lowerBound > 0.2)
    let same = try Bootstrap(weak, weak)
    #expect(same.difference == 0 && same.interval == 0...0)
    let shifted = try Bootstrap(weak, Array(weak.dropFirst()) + [weak[0]])
    #expect(shifted.interval.contains(0) && shifted.reversed > 0.2)
    #expect(try Bootstrap(strong, weak).interval == clear.interval)
  }
}
