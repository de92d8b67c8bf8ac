public import ArgumentParser
internal import BatchRuns
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
      replace when they are whole. None of them may be an input. A name that ends in .gz or .zst is \
      compressed. In TSV a tab, line end or backslash within a field is \\t, \\n, \\r or \\\\.

      A run from files to --output FILE can be stopped by anything: FILE.journal tells how far it \
      came, and the same command with --resume goes on to the same bytes. When it is done, \
      FILE.manifest.json tells of what the output was made. With --shard I/N one of N runs reads \
      its part; spo merge puts their outputs together.

      EXAMPLE
        spo extract --text '《离开》是由张宇谱曲，演唱'
        spo extract corpus/ --server localhost:8001 --model spo_onnx > triples.jsonl
        spo extract corpus/ --rejects bad.jsonl --output triples.jsonl
        spo extract corpus/ --rejects bad.jsonl --output triples.jsonl --resume
        spo extract corpus/ --shard 0/8 --output triples-0.jsonl.gz
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

  @Flag(help: "Rejected records do not change the exit code.")
  var rejectedOk = false

  @OptionGroup(title: "Batch options") var durable: BatchOptions

  @Option(
    help: ArgumentHelp(
      "Write what the run used and did: versions, hashes of the model's files, counts.",
      valueName: "file"))
  var runInfo: String?

  @Option(help: ArgumentHelp("Reject longer records.", valueName: "bytes"))
  var maxRecordBytes = 16 << 20

  @Option(
    help: ArgumentHelp(
      "Documents read ahead to plan batches. Default: what keeps the engine busy.", valueName: "n"))
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
    guard output != "-" || !durable.resume && !durable.restart else {
      throw ValidationError("--resume and --restart are of a run with --output FILE")
    }
  }

  mutating func run() async throws {
    // Before anything is opened or made: an output may not be an input, and must be possible.
    let inputs = try checkedInputs()
    if durable.resume, let obstacle = inputs.obstacle(writing: records) {
      throw InputOutputError(.input, obstacle)
    }
    let bundle = try engine.bundle.load()
    let extractor = try await engine.extractor(bundle, try reading(bundle))
    try await extractor.engine.closing { _ in try await run(inputs, extractor, bundle) }
  }

  private func checkedInputs() throws -> ExtractInputs {
    var options = RecordReader.Options()
    (options.textField, options.longestRecord) = (textField, maxRecordBytes)
    options.format = inputFormat
    let info = runInfo.map { OutputPath("--run-info", FileName(argument: $0)) }
    let beside = BatchOutput.companions(of: FileName(argument: output)).map {
      OutputPath("beside --output", $0)
    }
    let found = try RecordSource.inputs(
      inputs, texts: text, writing: records + (info.map { [$0] } ?? []) + beside)
    return try ExtractInputs(
      found, texts: text, shard: try durable.chosenShard(), options: options)
  }

  private func run(
    _ inputs: ExtractInputs, _ extractor: RelationExtractor, _ bundle: ModelBundle
  ) async throws {
    if !explain.isEmpty {
      let source = try inputs.source(behind: nil)
      return try await ExplainReport(extractor: extractor, triple: explain).run(source)
    }
    let info = RunInfo(
      bundle: bundle, extractor: extractor, engine: engine.engineDescription,
      threshold: threshold)
    let identity =
      inputs.obstacle(writing: records) == nil
      ? inputs.identity(info, options: writing, hashesAll: durable.hashInputs) : nil
    let batch = try BatchOutput(
      output: FileName(argument: output), rejects: rejects.map { FileName(argument: $0) },
      identity: identity, start: durable.start, pause: durable.pause)
    if let ended = try DurableRun(batch: batch, output: output, isQuiet: quiet).ended() {
      return try finish(ended)
    }
    try await extract(inputs, batch, info, identity)
  }

  private func extract(
    _ inputs: ExtractInputs, _ batch: BatchOutput, _ info: RunInfo, _ identity: RunIdentity?
  ) async throws {
    let terminal = batch.output.isTerminal
    let format = format ?? (terminal ? .pretty : .jsonl)
    let run = ExtractRun(
      extractor: info.extractor, batch: batch,
      formatter: ResultFormatter(
        format: format, unit: offsets, color: terminal && Terminal.allowsColor, isForExcel: excel),
      maxRejects: maxRejects,
      progress: !quiet && Terminal.showsProgress && !terminal ? Progress() : nil)
    let source = try inputs.source(behind: batch.resumed?.position)
    let summary = try await run.run(source) { checkpoint in
      guard let identity else { return [] }
      let manifest = RunManifest(
        identity: identity, extents: inputs.extents, checkpoint: checkpoint,
        rejects: rejects.map { FileName(argument: $0) }, isDeterministic: info.isDeterministic)
      return try manifest.json(
        with: info.details(checkpoint.counts, seconds: checkpoint.seconds))
    }
    if let runInfo {
      try RunInfo.write(info.details(summary.counts, seconds: batch.seconds), to: runInfo)
    }
    if !quiet {
      Terminal.say(summary.description)
      if let served = info.extractor.servingReport { Terminal.say(served) }
    }
    try finish(summary.counts)
  }

  private func finish(_ counts: RunCounts) throws {
    guard counts.rejected > 0 && !rejectedOk || counts.unread > 0 else { return }
    throw ExitCode(ExitStatus.rejects)
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
