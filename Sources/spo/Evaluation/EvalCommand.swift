public import ArgumentParser
internal import DocumentIO
internal import RelationBundle
public import Evaluation
internal import Foundation
internal import GlobalPointer
internal import WordPiece

/// Scores predictions against a gold file.
struct EvalCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eval",
    abstract: "Score predicted triples against a gold file.",
    discussion: """
      Both files are DuIE's JSONL (`spo_list`) or spo's own (`triples`). Sentences are joined by \
      their text. Predictions that keep scores, as those of `spo extract --threshold -4` do, are \
      also scored at every higher threshold, without another run.

      EXAMPLE
        spo extract dev.jsonl --threshold -4 > predicted.jsonl
        spo eval dev.jsonl predicted.jsonl --html report.html
        spo eval dev.jsonl a.jsonl --against b.jsonl
      """)

  @Argument(help: "The gold file.") var gold: String
  @Argument(help: "The predictions.") var predicted: String

  @Option(help: "duie1 or duie2. Default: by the form of the gold file's objects.")
  var scorer: Scorer?

  @Option(help: ArgumentHelp("Other names of entities, tab-separated.", valueName: "file"))
  var alias: String?

  @Option(
    help: ArgumentHelp("Places that may stand for a gold object (duie1).", valueName: "file"))
  var locations: String?

  @Option(help: ArgumentHelp("Count only this schema's predicates.", valueName: "file"))
  var only: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Scores above it count; where there are any.", valueName: "logit"))
  var threshold: Double = 0

  @Option(
    help: ArgumentHelp("Other predictions, to compare with these.", valueName: "file"))
  var against: String?

  @Option(
    help: ArgumentHelp(
      "A bundle: gold triples that its tokens or its window cannot give are told apart, and its temperature makes the confidences.",
      valueName: "dir"))
  var bundle: String?

  @Option(help: ArgumentHelp("Print so many errors of each class.", valueName: "n"))
  var errors = 3

  @Option(help: ArgumentHelp("Write a page with curve and errors in context.", valueName: "file"))
  var html: String?

  @Flag(help: "Write JSON.") var json = false

  func run() throws {
    let goldFile = try TripleFile(path: gold, isGold: true)
    guard !goldFile.texts.isEmpty else {
      throw TripleFile.Malformed(description: "\(gold) has no sentences; is it the gold file?")
    }
    let scorer = self.scorer ?? (goldFile.hasSlots ? .duie2 : .duie1)
    let kept = try only.map {
      Set(try RelationSchema(contentsOf: URL(fileURLWithPath: $0)).predicates.map(\.name))
    }
    let names = (try TripleFile.aliases(alias), try TripleFile.aliases(locations))
    func evaluation(_ path: String) throws -> Evaluation {
      let file = try TripleFile(path: path, isGold: false)
      return Evaluation(
        try join(goldFile, file, path, kept, scorer), scorer: scorer, aliases: names.0,
        locations: names.1)
    }
    let first = try evaluation(predicted)
    var report = EvalReport(first, threshold: threshold, try reach())
    report.files = (gold, predicted)
    if let against {
      report.comparison = try compare(first, try evaluation(against))
      report.other = against
    }
    if let html {
      let sink = try OutputSink(path: html)
      try sink.append { $0 += Array(EvalPage(report).html.utf8) }
      try sink.flush()
    }
    print(json ? try report.json : report.text(errors: errors))
  }

  /// The gold file's sentences with their predictions.
  private func join(
    _ gold: TripleFile, _ file: TripleFile, _ path: String, _ kept: Set<String>?, _ scorer: Scorer
  ) throws -> [Evaluation.Sentence] {
    let strangers = file.texts.filter { gold[$0] == nil }
    guard strangers.count < file.texts.count || file.texts.isEmpty else {
      throw TripleFile.Malformed(
        description: "no text of \(path) is in \(self.gold); are these the same sentences?")
    }
    if let first = strangers.first {
      Terminal.say("\(strangers.count) texts of \(path) are not in the gold file, such as \(first)")
    }
    let silent = gold.texts.count { file[$0] == nil }
    if silent > 0 {
      Terminal.say("\(silent) gold texts are not in \(path): their triples count as missing")
    }
    if file.rejects > 0 { Terminal.say("\(file.rejects) lines of \(path) are rejected records") }
    func counted(_ predictions: [Prediction]) -> [Prediction] {
      predictions.filter { kept?.contains($0.statement.predicate) ?? true }.map { prediction in
        guard scorer == .duie1 else { return prediction }
        var prediction = prediction
        prediction.statement.object = ["@value": prediction.statement.value]
        return prediction
      }
    }
    return gold.texts.map { text in
      Evaluation.Sentence(
        text: text, gold: counted(gold[text] ?? []).map(\.statement),
        predicted: counted(file[text] ?? []))
    }
  }

  private func compare(_ first: Evaluation, _ second: Evaluation) throws -> Bootstrap {
    func counts(_ evaluation: Evaluation) -> [Counts] {
      evaluation.judgements(above: threshold).map { $0.counts(evaluation.scorer) }
    }
    return Bootstrap(counts(first), counts(second))
  }

  private func reach() throws -> TokenReach? {
    guard let bundle else { return nil }
    let loaded = try ModelBundle(directory: URL(fileURLWithPath: bundle))
    return TokenReach(
      tokenizer: BertTokenizer(vocabulary: loaded.vocabulary),
      window: loaded.configuration.maximumPositions - 2,
      temperature: Double(loaded.configuration.temperature))
  }
}

extension Scorer: ExpressibleByArgument {}
