public import ArgumentParser
public import DocumentIO
internal import RelationBundle
internal import Foundation
internal import GlobalPointer
internal import RelationExtraction

struct ExtractCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "extract",
    abstract: "Write the triples of every document.",
    discussion: """
      Inputs are files, directories, patterns in quotes or - (standard input, the default): plain \
      text with one document a line, JSONL, CSV or TSV with a header, in UTF-8, each also \
      compressed as gzip or zstd. Of directories the files ending in txt, jsonl, ndjson, \
      jsonlines, jl, json, csv and tsv are read, in any case and with .gz or .zst, but no hidden \
      ones. One line comes out for each that goes in, in order; one that cannot be read becomes \
      an error record, or goes to --rejects. An empty text is such; empty lines at the end of \
      JSONL, CSV and TSV are nothing. A file that cannot be read is named, the others are read, \
      and the exit code is 1.

      --output, --rejects and --run-info are written as FILE.partial beside FILE, which they \
      replace when they are whole; a run that is stopped leaves FILE.partial. None of them may \
      be an input. In TSV a tab, line end or backslash within a field is \\t, \\n, \\r or \\\\.

      EXAMPLE
        spo extract --text '《离开》是由张宇谱曲，演唱'
        spo extract corpus/ --server localhost:8001 --model spo_onnx > triples.jsonl
        spo extract corpus/ --rejects bad.jsonl --output triples.jsonl
        zcat big.txt.gz | spo extract --format tsv --predicate 作者 --predicate 出版社
        spo extract --text '《离开》是由张宇谱曲' --explain 离开 作曲 张宇
      """)

  @Argument(help: ArgumentHelp("Files, directories, patterns or -.", valueName: "input"))
  var inputs: [String] = []

  @Option(help: ArgumentHelp("A document given here instead of inputs.", valueName: "text"))
  var text: [String] = []

  @OptionGroup var engine: EngineOptions

  @Option(help: "jsonl, tsv, csv, duie or pretty. Default: pretty on a terminal, else jsonl.")
  var format: ResultFormat?

  @Flag(
    help: """
      For --format csv: a byte-order mark, by which Excel knows UTF-8, and ' before texts that it \
      would run as formulas.
      """)
  var excel = false

  @Option(help: "text, jsonl, csv or tsv. Default: by each file's name; standard input is text.")
  var inputFormat: InputFormat?

  @Option(help: ArgumentHelp("Field or column that holds the text.", valueName: "name"))
  var textField = "text"

  @Option(help: ArgumentHelp("Write to a file instead of standard output.", valueName: "file"))
  var output = "-"

  @Option(help: "What offsets count: codepoint (Python), utf8 (Swift, Go), utf16 (Java, JS).")
  var offsets: OffsetUnit = .codepoint

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Logits strictly above it count.", valueName: "logit"))
  var threshold: Float = 0

  @Option(help: ArgumentHelp("Keep only this predicate; may be repeated.", valueName: "name"))
  var predicate: [String] = []

  @Option(help: ArgumentHelp("Keep predicates whose subject has this type.", valueName: "type"))
  var subjectType: String?

  @Option(help: ArgumentHelp("Keep predicates whose object has this type.", valueName: "type"))
  var objectType: String?

  @Option(help: ArgumentHelp("Write records that cannot be read here.", valueName: "file"))
  var rejects: String?

  @Option(help: ArgumentHelp("Stop after more than this many rejects.", valueName: "n"))
  var maxRejects: Int?

  @Option(
    help: ArgumentHelp(
      "Write what the run used and did: versions, hashes of the model's files, counts.",
      valueName: "file"))
  var runInfo: String?

  @Option(help: ArgumentHelp("Reject longer records.", valueName: "bytes"))
  var maxRecordBytes = 16 << 20

  @Option(help: ArgumentHelp("Documents read ahead to plan batches.", valueName: "n"))
  var lookAhead: Int?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "For a subject, predicate and object: the four logits of every occurrence.",
      valueName: "s p o"))
  var explain: [String] = []

  @Flag(help: "No progress and no summary.")
  var quiet = false

  func validate() throws {
    guard threshold.isFinite else {
      throw ValidationError("--threshold is \(threshold), expected a finite logit")
    }
    guard maxRecordBytes >= 1, lookAhead ?? 1 >= 1, maxRejects ?? 0 >= 0 else {
      throw ValidationError("--max-record-bytes and --look-ahead are at least 1, --max-rejects 0")
    }
    guard explain.isEmpty || explain.count == 3 else {
      throw ValidationError("--explain takes a subject, a predicate and an object")
    }
    guard !excel || format == .csv else { throw ValidationError("--excel is for --format csv") }
    guard text.isEmpty || inputs.isEmpty else {
      throw ValidationError("give inputs or --text, not both")
    }
  }

  mutating func run() async throws {
    // Before anything is opened or made: an output may not be an input, and must be possible.
    let source = try source()
    let bundle = try engine.bundle.load()
    let extractor = try await engine.extractor(bundle, try reading(bundle))
    try await extractor.engine.closing { _ in try await run(source, extractor, bundle) }
  }

  private func source() throws -> RecordSource {
    var options = RecordReader.Options()
    (options.textField, options.longestRecord) = (textField, maxRecordBytes)
    options.format = inputFormat
    let outputs = [("--output", output), ("--rejects", rejects), ("--run-info", runInfo)]
    let paths = outputs.compactMap { option, path in
      path.map { OutputPath(option, FileName(argument: $0)) }
    }
    return try RecordSource.of(inputs, texts: text, writing: paths, options: options)
  }

  private func run(
    _ source: RecordSource, _ extractor: RelationExtractor, _ bundle: ModelBundle
  ) async throws {
    if !explain.isEmpty {
      try await ExplainReport(extractor: extractor, triple: explain).run(source)
      return
    }
    let run = try ExtractRun(
      extractor: extractor, output: output, format: format, unit: offsets, isForExcel: excel,
      rejects: rejects, maxRejects: maxRejects,
      showsProgress: !quiet && Terminal.showsProgress)
    let summary = try await run.run(source)
    if let runInfo {
      try RunInfo(
        path: runInfo, bundle: bundle, engine: engine.engineDescription, threshold: threshold
      ).write(summary, extractor)
    }
    if !quiet {
      Terminal.say(summary.description)
      if let served = extractor.servingReport { Terminal.say(served) }
    }
    if summary.rejected > 0 || summary.unread > 0 { throw ExitCode(ExitStatus.rejects) }
  }

  private func reading(_ bundle: ModelBundle) throws -> RelationExtractor.Configuration {
    let schema = bundle.schema
    var configuration = RelationExtractor.Configuration()
    configuration.threshold = threshold
    configuration.lookAhead = lookAhead
    var kept = predicate.isEmpty ? nil : try schema.ids(of: predicate)
    if subjectType != nil || objectType != nil {
      let typed = try schema.ids(subjectType: subjectType, objectType: objectType)
      kept = kept.map { $0.intersection(typed) } ?? typed
    }
    configuration.predicates = kept
    return configuration
  }
}

extension ResultFormat: ExpressibleByArgument {}
extension InputFormat: ExpressibleByArgument {}
extension OffsetUnit: ExpressibleByArgument {}
