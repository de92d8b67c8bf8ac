internal import ArgumentParser
internal import DocumentIO

/// The records of all inputs, one file after the other.
struct RecordSource {
  private var pending: [InputFile]
  private var current: RecordReader?
  private var texts: ArraySlice<String>
  private let format: InputFormat?
  private let options: RecordReader.Options
  private var finishedBytes = 0
  private var currentBytes = 0

  /// Bytes of all files, nil where one has no size.
  let totalBytes: Int?
  private var textNumber = 0

  init(
    inputs: [String], texts: [String], format: InputFormat?, textField: String, longestRecord: Int
  ) throws {
    pending = texts.isEmpty ? try discoverInputs(inputs.isEmpty ? ["-"] : inputs) : []
    self.texts = texts[...]
    self.format = format
    var options = RecordReader.Options()
    (options.textField, options.longestRecord) = (textField, longestRecord)
    self.options = options
    let sizes = pending.map(\.byteCount)
    totalBytes = sizes.contains(nil) ? nil : sizes.reduce(0) { $0 + ($1 ?? 0) }
    // Opened here, so that an input that cannot be read is known before anything is written.
    try openNext()
  }

  /// The texts of the first records, for commands that measure; rejects are told and left out.
  static func texts(of inputs: [String], field: String, limit: Int) throws -> [String] {
    var source = try RecordSource(
      inputs: inputs, texts: [], format: nil, textField: field, longestRecord: 16 << 20)
    var texts: [String] = []
    while texts.count < limit, let item = try source.next() {
      switch item {
      case .record(let record): texts.append(record.text)
      case .reject(let reject): RejectWriter.say(reject)
      }
    }
    guard !texts.isEmpty else { throw ValidationError("there are no documents in the input") }
    return texts
  }

  /// Bytes of files that have been read.
  var readBytes: Int { finishedBytes + (current?.consumedFileBytes ?? 0) }

  /// Whether the next record has not begun to come yet, as on a slow pipe.
  var wouldWait: Bool { current?.wouldWait ?? false }

  /// The next record, nil after the last.
  mutating func next() throws -> InputItem? {
    if let text = texts.popFirst() {
      textNumber += 1
      let location = SourceLocation(file: "--text", line: textNumber, byte: 0)
      return .record(SourceRecord(location: location, text: text))
    }
    while let reader = current {
      if let item = try reader.next() { return item }
      try openNext()
    }
    return nil
  }

  private mutating func openNext() throws {
    finishedBytes += currentBytes
    current = nil
    guard !pending.isEmpty else { return }
    let file = pending.removeFirst()
    currentBytes = file.byteCount ?? 0
    current = try RecordReader(path: file.path, format: format, options: options)
  }
}
