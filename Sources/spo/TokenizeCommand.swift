internal import ArgumentParser
internal import DocumentIO
internal import Foundation
internal import WordPiece

struct TokenizeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenize",
    abstract: "Write the tokens of every document with their offsets.",
    discussion: """
      One JSON object a line: ids, tokens and offsets; [CLS] first, [SEP] last.

      EXAMPLE
        spo tokenize --text 周杰伦1979年生于台湾
        spo tokenize --vocab vocab.txt corpus.txt > tokens.jsonl
      """)

  @Argument(help: ArgumentHelp("Files, directories, patterns or -.", valueName: "input"))
  var inputs: [String] = []

  @Option(help: ArgumentHelp("A document given here instead of inputs.", valueName: "text"))
  var text: [String] = []

  @OptionGroup var bundle: BundleOptions

  @Option(help: ArgumentHelp("A vocab.txt instead of the bundle's.", valueName: "file"))
  var vocab: String?

  @Option(help: "text, jsonl, csv or tsv. Default: by each file's name; standard input is text.")
  var inputFormat: InputFormat?

  @Option(help: ArgumentHelp("Field or column that holds the text.", valueName: "name"))
  var textField = "text"

  @Option(help: "What offsets count: codepoint (Python), utf8 (Swift, Go), utf16 (Java, JS).")
  var offsets: OffsetUnit = .codepoint

  @Option(
    help: ArgumentHelp(
      "Keep at most this many tokens; \"dropped\" tells how many are left out.", valueName: "n"))
  var maxTokens: Int?

  @Flag(help: "Read [CLS], [SEP], [MASK], [PAD] and [UNK] in the text as the tokens they name.")
  var specialTokens = false

  func validate() throws {
    if let maxTokens, maxTokens < 2 {
      throw ValidationError("--max-tokens is \(maxTokens), expected at least 2")
    }
    guard text.isEmpty || inputs.isEmpty else {
      throw ValidationError("give inputs or --text, not both")
    }
  }

  mutating func run() async throws {
    let tokenizer = BertTokenizer(
      vocabulary: try vocabulary(), specialTokens: specialTokens ? .recognised : .text)
    var options = RecordReader.Options()
    (options.textField, options.format) = (textField, inputFormat)
    let output = FileName("-")
    let source = try RecordSource.of(
      inputs, texts: text, writing: [OutputPath("--output", output)], options: options)
    try await write(source, tokenizer, try OutputFile(output))
  }

  private func write(
    _ source: RecordSource, _ tokenizer: BertTokenizer, _ output: OutputFile
  ) async throws {
    var rejected = 0
    while let item = try await nextItem(source, output) {
      switch item {
      case .notice(let notice):
        Terminal.say(notice.description)
        if notice.isFailure { rejected += 1 }
      case .record(let record):
        let truncation = maxTokens.map(Truncation.longest) ?? .none
        let encoding = tokenizer.encode(record.text, truncation: truncation)
        let line = TokenLine(encoding: encoding, text: record.text, unit: offsets)
        try await output.append { line.append(tokenizer.vocabulary, to: &$0) }
      case .reject(let reject):
        rejected += 1
        let formatter = ResultFormatter(format: .jsonl)
        try await output.append { _ = formatter.append(reject, to: &$0) }
      }
    }
    try await output.finish()
    if rejected > 0 { throw ExitCode(ExitStatus.rejects) }
  }

  /// The next item; what has been found is written out before it is waited for.
  private func nextItem(_ source: RecordSource, _ output: OutputFile) async throws -> InputItem? {
    if source.wouldWait { try await output.flush() }
    return try await source.next()
  }

  private func vocabulary() throws -> Vocabulary {
    if let vocab { return try Vocabulary(contentsOf: URL(fileURLWithPath: vocab)) }
    return try bundle.load().vocabulary
  }
}

/// One line of `spo tokenize`.
private struct TokenLine {
  let encoding: Encoding
  let text: String
  let unit: OffsetUnit

  func append(_ vocabulary: Vocabulary, to out: inout [UInt8]) {
    out.append(contentsOf: "{\"ids\": \(encoding.ids), \"tokens\": [".utf8)
    for (index, id) in encoding.ids.enumerated() {
      if index > 0 { out.append(contentsOf: ", ".utf8) }
      appendJSON(vocabulary.tokens[Int(id)], to: &out)
    }
    let offset = OffsetConverter(text, unit)
    let pairs = encoding.offsets.map { [offset($0.lowerBound), offset($0.upperBound)] }
    out.append(contentsOf: "], \"offset_unit\": \"\(unit.rawValue)\", \"offsets\": \(pairs)".utf8)
    if encoding.droppedTokens > 0 {
      out.append(contentsOf: ", \"dropped\": \(encoding.droppedTokens)".utf8)
    }
    out.append(contentsOf: "}\n".utf8)
  }
}
