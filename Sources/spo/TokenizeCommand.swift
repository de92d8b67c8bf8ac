internal import ArgumentParser
internal import DocumentIO
internal import GlobalPointer
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
    let output = try StandardOutput()
    let tokenizer = BertTokenizer(
      vocabulary: try vocabulary(), specialTokens: specialTokens ? .recognized : .text)
    var options = RecordReader.Options()
    (options.textField, options.format) = (textField, inputFormat)
    let source = try RecordSource.of(
      inputs, texts: text, writing: [OutputPath("--output", FileName("-"))], options: options)
    var lines = TokenLines(tokenizer.vocabulary, offsets)
    var batch = EncodingBatch()
    let truncation = maxTokens.map(Truncation.longest) ?? .none
    var (read, rejected, unread) = (0, 0, 0)
    while let items = try await source.nextBatch() {
      for item in items {
        try Task.checkCancellation()
        switch item {
        case .notice(let notice):
          Terminal.say(notice.description)
          if notice.isFailure { unread += 1 }
        case .record(let record):
          read += 1
          tokenizer.encode(CollectionOfOne(record.text), truncation: truncation, into: &batch)
          try output.append { lines.append(batch, record.text, to: &$0) }
        case .reject(let reject):
          (read, rejected) = (read + 1, rejected + 1)
          let formatter = ResultFormatter(format: .jsonl)
          try output.append { _ = formatter.append(reject, to: &$0) }
        }
      }
      // What is there is written before more is waited for.
      if source.wouldWait { try output.flush() }
    }
    try output.flush()
    if read == 0, unread > 0 { throw RecordSource.nothingRead }
    if rejected + unread > 0 { throw ExitCode(ExitStatus.rejects) }
  }

  private func vocabulary() throws -> Vocabulary {
    if let vocab { return try Vocabulary(contentsOf: URL(fileURLWithPath: vocab)) }
    return try bundle.load().vocabulary
  }
}
