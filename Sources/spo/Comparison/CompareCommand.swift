internal import ArgumentParser
internal import Evaluation
internal import Foundation
internal import RelationExtraction
internal import Triton

/// Holds two ways to compute one model against each other.
struct CompareCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Check that two engines, exports or versions give the same triples.",
    discussion: """
      A side is embedded, embedded:PRECISION (float32, bfloat16, reference), a bundle's directory, \
      or HOST:PORT/MODEL with @VERSION and +PLAN. Exits with 1 when a score differs by more than \
      the tolerance, or when a side cannot read a document.

      EXAMPLE
        spo compare embedded localhost:8001/spo_onnx news.txt
        spo compare localhost:8001/spo_pt localhost:8001/spo_compact news.txt --limit 1000
        spo compare embedded embedded:bfloat16 news.txt --tolerance 0.1
        spo compare localhost:8001/spo_onnx@1 localhost:8001/spo_onnx@2 news.txt
      """)

  @Argument(help: "One side.") var first: String
  @Argument(help: "The other.") var second: String
  @Argument(help: ArgumentHelp("Files, directories, patterns or -.", valueName: "input"))
  var inputs: [String] = []

  @OptionGroup var bundle: BundleOptions
  @OptionGroup var workers: WorkerOptions
  @OptionGroup var answers: AnswerOptions

  @Option(help: ArgumentHelp("Documents to read. Default: all.", valueName: "n"))
  var limit: Int?

  @Option(help: ArgumentHelp("Field or column that holds the text.", valueName: "name"))
  var textField = "text"

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Logits strictly above it count.", valueName: "logit"))
  var threshold: Float = 0

  @Option(help: ArgumentHelp("Scores may differ by so much.", valueName: "logits"))
  var tolerance: Float = 1e-3

  @Option(help: ArgumentHelp("Print so many differences.", valueName: "n"))
  var show = 10

  @Flag(help: "Write JSON.") var json = false

  func validate() throws {
    guard threshold.isFinite, tolerance > 0, tolerance.isFinite, limit ?? 1 >= 1, show >= 0 else {
      throw ValidationError("--tolerance and --limit are above 0, --threshold is a finite logit")
    }
  }

  func run() async throws {
    let output = try StandardOutput()
    let sides = [try Side(first), try Side(second)]
    var agreement = Agreement(threshold: threshold, tolerance: tolerance)
    var reading = RelationExtractor.Configuration()
    reading.threshold = agreement.floor
    let one = try await sides[0].extractor(self, reading)
    let other = try await sides[1].extractor(self, reading)
    let texts = try RecordSource.texts(of: inputs, field: textField, limit: limit ?? .max)
    try await one.engine.closing { _ in
      try await other.engine.closing { _ in
        for start in stride(from: 0, to: texts.count, by: 256) {
          try Task.checkCancellation()
          let part = Array(texts[start..<min(start + 256, texts.count)])
          let a = try await one.extract(batch: part, firstIndex: start)
          let b = try await other.extract(batch: part, firstIndex: start)
          for (x, y) in zip(a, b) { agreement.add(x.reading, y.reading) }
        }
      }
    }
    let report = CompareReport(
      agreement: agreement, names: (first, second), texts: texts, show: show)
    try output.write((json ? try report.json : report.text) + "\n")
    if !agreement.isAgreed { throw ExitCode(ExitStatus.rejects) }
  }
}

extension Extraction {
  /// Its triples by their places.
  fileprivate var reading: Agreement.Reading {
    result.map { triples in
      let pairs = triples.map { triple in
        let place = Agreement.Occurrence(
          subject: triple.subject.range, predicate: triple.predicate, object: triple.object.range)
        return (place, triple.score)
      }
      return Dictionary(pairs, uniquingKeysWith: max)
    }.mapError { Agreement.Failure(reason: "\($0)") }
  }
}
