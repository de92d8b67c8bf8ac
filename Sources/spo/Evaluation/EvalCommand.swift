public import ArgumentParser
internal import DocumentIO
internal import RelationBundle
public import Evaluation
internal import Foundation
internal import GlobalPointer
internal import Texts
internal import WordPiece

/// Scores predictions against a gold file.
struct EvalCommand: AsyncParsableCommand {
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

  @Option(
    help: ArgumentHelp(
      "duie1 or duie2. Default: by the form of the gold file's objects.",
      discussion: """
        duie1 is Baidu's script as corrected on 10 May 2019: of predictions that are one another's \
        names the first counts, and recall counts the gold triples found. duie2 is that of DuIE 2.0.
        """))
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

  func run() async throws {
    let output = try StandardOutput()
    let page = try html.map { try PageFile(path: $0, inputs: inputs) }
    let goldFile = try TripleFile(path: gold, isGold: true)
    guard !goldFile.texts.isEmpty else {
      throw TripleFile.Malformed(description: "\(gold) has no sentences; is it the gold file?")
    }
    let report = try report(goldFile)
    try page?.write(EvalPage(report).html)
    try output.write((json ? try report.json : report.text(errors: errors)) + "\n")
  }

  /// Every file that is read.
  private var inputs: [String] {
    let bundled = ["config.json", "vocab.txt", "schema.json", "model.safetensors"]
    return [gold, predicted] + [alias, locations, only, against].compactMap(\.self)
      + bundled.compactMap { name in bundle.map { "\($0)/\(name)" } }
  }

  private func report(_ goldFile: TripleFile) throws -> EvalReport {
    let kept = try only.map {
      Set(
        try RelationSchema(contentsOf: URL(fileURLWithPath: $0)).predicates.map {
          ExactText($0.name)
        })
    }
    let names = (try EvalLines.aliases(alias), try EvalLines.aliases(locations))
    let scorer = self.scorer ?? (goldFile.hasSlots ? .duie2 : .duie1)
    func evaluation(_ path: String) throws -> Evaluation {
      let join = EvalJoin(gold: (gold, goldFile), scorer: scorer, kept: kept)
      let sentences = try join.sentences(path, try TripleFile(path: path, isGold: false))
      return try Evaluation(sentences, scorer: scorer, aliases: names.0, locations: names.1)
    }
    let first = try evaluation(predicted)
    var report = try EvalReport(first, threshold: threshold, try reach())
    report.files = (gold, predicted)
    if let against {
      report.comparison = try Bootstrap(
        first.counts(above: threshold), try evaluation(against).counts(above: threshold))
      report.other = against
    }
    return report
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
