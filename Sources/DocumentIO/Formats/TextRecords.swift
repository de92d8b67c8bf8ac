/// What a format finds in the bytes of a file.
enum FoundRecord {
  case record(SourceRecord)
  case reject(Reject)
  /// A line with nothing in it, which is nothing at the end of a file and a reject before it.
  case blank(Reject)
  /// Something that begins before the first byte of interest, and is no line with nothing in it.
  case skipped
}

/// What a format makes of the beginning of a file.
enum FoundBeginning {
  case needsMore
  /// Records come next; something may be to know of the file.
  case records(note: String?)
  /// Nothing of the file can be read.
  case failure(String)
}

/// The records of one format: bytes in, records out, however the bytes come.
protocol RecordFormat {
  /// Looks at what comes before the first record, and takes it.
  mutating func begin(_ input: inout InputBuffer) -> FoundBeginning
  /// Whether a record is a line, whatever came before it.
  var isOfLines: Bool { get }
  /// Goes on with the line of this number, where a record is a line.
  mutating func goOn(line: Int)
  /// The next of them; nil when more bytes are needed, or when there are none at the end.
  mutating func next(_ input: inout InputBuffer) -> FoundRecord?
}

/// What all formats need to know.
struct RecordSettings {
  /// The file, as records name it.
  var file: String
  var textField: String
  var limit: Int
  var lineEnd: UInt8
  /// Whether nobody said that the file is text.
  var isFormatGuessed: Bool
  /// Which part of a source it is.
  var part: Int
  /// What begins before this byte is of no interest.
  var start: Int

  func location(_ frame: Frame) -> SourceLocation {
    SourceLocation(file: file, line: frame.line, byte: frame.byte, part: part)
  }

  func reject(
    _ frame: Frame, _ bytes: [UInt8], _ reason: String, _ carried: [CarriedField] = []
  ) -> Reject {
    Reject(
      location: location(frame), reason: reason, raw: frame.beginning ?? Array(bytes[frame.range]),
      byteCount: frame.byteCount, carried: carried)
  }

  func tooLong(_ frame: Frame) -> Reject {
    reject(
      frame, [],
      "the record has \(frame.byteCount) bytes, more than the limit of \(limit) "
        + "(--max-record-bytes)")
  }
}

/// One document a line.
struct TextRecords: RecordFormat {
  private let settings: RecordSettings
  private var lines: LineMachine

  init(_ settings: RecordSettings) {
    self.settings = settings
    lines = LineMachine(limit: settings.limit, lineEnd: settings.lineEnd)
  }

  mutating func begin(_ input: inout InputBuffer) -> FoundBeginning {
    guard settings.isFormatGuessed else { return .records(note: nil) }
    let found = LineMachine.find(settings.lineEnd, input, from: 0)
    guard let end = found ?? (input.isAtEnd ? input.count : nil) else {
      // A line over the limit is no object, however it goes on.
      return input.count > settings.limit ? .records(note: nil) : .needsMore
    }
    return .records(note: note(input, lineLength: end))
  }

  var isOfLines: Bool { true }

  mutating func goOn(line: Int) {
    lines = LineMachine(limit: settings.limit, lineEnd: settings.lineEnd, line: line)
  }

  mutating func next(_ input: inout InputBuffer) -> FoundRecord? {
    guard let frame = lines.next(&input) else { return nil }
    guard frame.beginning == nil else { return .reject(settings.tooLong(frame)) }
    guard frame.byte >= settings.start else { return .skipped }
    let bytes = input.bytes
    let range = withoutReturn(frame.range, bytes, settings.lineEnd)
    guard !range.isEmpty else {
      return .reject(settings.reject(frame, bytes, "the line is empty"))
    }
    switch validated(bytes.span.extracting(range)) {
    case .success(let text):
      return .record(SourceRecord(location: settings.location(frame), text: text))
    case .failure(let fault): return .reject(settings.reject(frame, bytes, fault.reason))
    }
  }

  /// Said when the first line is a JSON object, though nobody said that the file is text.
  private func note(_ input: InputBuffer, lineLength end: Int) -> String? {
    let bytes = input.bytes
    var members: [JSONScanner.Member] = []
    do throws(JSONFault) {
      let line = bytes.span.extracting(input.start..<input.start + end)
      try JSONScanner.members(of: line, into: &members)
    } catch { return nil }
    return "looks like JSON Lines, but is read as text, a line a document; "
      + "--input-format jsonl reads its fields"
  }
}

/// A line without the carriage return before its line feed.
func withoutReturn(_ range: Range<Int>, _ bytes: [UInt8], _ lineEnd: UInt8) -> Range<Int> {
  let hasReturn = lineEnd == 0x0A && !range.isEmpty && bytes[range.upperBound - 1] == 0x0D
  return hasReturn ? range.dropLast() : range
}

/// Where bytes stop being UTF-8.
struct EncodingFault: Error {
  var reason: String
}

/// Bytes as text.
func validated(_ bytes: Span<UInt8>) -> Result<String, EncodingFault> {
  do throws(UTF8.ValidationError) {
    return .success(String(copying: try UTF8Span(validating: bytes)))
  } catch {
    return .failure(encodingFault(error, bytes))
  }
}

func encodingFault(_ error: UTF8.ValidationError, _ bytes: Span<UInt8>) -> EncodingFault {
  let place = error.byteOffsets.lowerBound
  let byte = hex(bytes[min(place, bytes.count - 1)])
  return EncodingFault(reason: "the line is not valid UTF-8 (byte \(place) of it is \(byte))")
}

/// Names for a message, not more than a line of them.
func listed(_ names: some Collection<String>) -> String {
  let shown = names.prefix(8).map { $0.count > 40 ? $0.prefix(40) + "…" : $0 }
  let rest = names.count - shown.count
  return shown.joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
}
