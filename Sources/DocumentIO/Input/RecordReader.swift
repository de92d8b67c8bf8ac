/// The documents of one file, one record after the other, the bad ones named.
///
/// A file that cannot be read, or not to its end, gives a notice and what could be read before.
public final class RecordReader {
  /// How records are read.
  public struct Options: Sendable {
    /// The field of a JSON object, or the column, that holds the text.
    public var textField = "text"
    /// The most bytes of a record.
    public var longestRecord = 16 << 20
    /// How all files hold their documents; nil goes by each file's name, and what has no name that
    /// tells is text.
    public var format: InputFormat?
    /// The defaults.
    public init() {}
  }

  /// What came of asking for the next item.
  package enum Step {
    case item(InputItem)
    /// Whoever writes to this pipe has not written a whole record.
    case wouldWait
    case end
  }

  private enum Stage { case unopened, beginning, records, finished }

  private let file: InputFile
  private let options: Options
  private let system: SystemCalls
  private let cancellation: Cancellation
  private var stage = Stage.unopened
  private var source: ByteSource?
  private var input = InputBuffer()
  private var format: (any RecordFormat)?
  /// Why the file could not be read to its end.
  private var fault: String?
  private var ready = ReadyItems()

  /// A reader of one file, which is opened with the first record.
  public convenience init(_ file: InputFile, options: Options = .init()) {
    self.init(file, options: options, system: .real, cancellation: Cancellation())
  }

  init(
    _ file: InputFile, options: Options, system: SystemCalls, cancellation: Cancellation
  ) {
    (self.file, self.options) = (file, options)
    (self.system, self.cancellation) = (system, cancellation)
  }

  /// Bytes of the file that have been read, as they lie there.
  public var consumedFileBytes: Int { source?.consumed ?? 0 }

  /// The next item, nil at the end; waits for it, in this thread, until the task is cancelled.
  public func next() throws(CancellationError) -> InputItem? {
    while true {
      switch try step(wait: true) {
      case .item(let item): return item
      case .wouldWait: continue
      case .end: return nil
      }
    }
  }

  /// The next item, if it can be had without waiting or waiting is allowed.
  package func step(wait: Bool) throws(CancellationError) -> Step {
    while true {
      if let item = ready.next() { return .item(item) }
      switch stage {
      case .unopened: open()
      case .beginning:
        guard try hasBeginning(wait: wait) else { return .wouldWait }
        begin()
      case .records:
        if let found = format?.next(&input) {
          take(found)
        } else if input.isAtEnd {
          finish()
        } else if try !fill(wait: wait) {
          return .wouldWait
        }
      case .finished: return .end
      }
    }
  }

  private func open() {
    stage = .beginning
    do throws(SystemError) {
      source = try ByteSource(file.name, system: system, cancellation: cancellation)
    } catch {
      let reason = error.isMissing ? "it is gone; it was there when reading began" : "\(error)"
      fail("cannot be read: \(reason)")
    }
  }

  /// Puts more bytes into the buffer, or notes that there are none; false when that would wait.
  private func fill(wait: Bool) throws(CancellationError) -> Bool {
    guard let source else { return true }
    switch try source.fill(&input, wait: wait) {
    case .more: return true
    case .wouldWait: return false
    case .end(let fault):
      self.fault = fault
      input.isAtEnd = true
      return true
    }
  }

  private func take(_ found: FoundRecord) {
    switch found {
    case .record(let record): ready.add(.record(record))
    case .reject(let reject): ready.add(.reject(reject))
    case .blank(let reject): ready.hold(reject)
    case .note(let note): notice(note, isFailure: false)
    case .failure(let reason): fail(reason)
    }
  }

  private func notice(_ text: String, isFailure: Bool) {
    ready.add(.notice(InputNotice("\(file.shown) \(text)", isFailure: isFailure)))
  }

  private func fail(_ reason: String) {
    notice(reason, isFailure: true)
    stage = .finished
    source = nil
  }

  private func finish() {
    ready.dropHeld()
    stage = .finished
    guard let fault else { return }
    let isBegun = consumedFileBytes > 0
    notice(
      isBegun
        ? "was not read to its end: \(fault); what came before was read"
        : "cannot be read: \(fault)",
      isFailure: true)
  }
}

extension RecordReader {
  /// How much of a file is looked at to tell what it is.
  private static let beginningSize = 1 << 16
  /// How far a line feed is looked for before carriage returns are taken for line ends.
  private static let longestSearch = 1 << 20

  /// Whether enough has come to tell what the file is: of a pipe a line, since it may be slow.
  private func hasBeginning(wait: Bool) throws(CancellationError) -> Bool {
    while !input.isAtEnd {
      let begun = input.bytes[input.range]
      let hasLine = begun.contains(0x0A)
      let isEnough =
        input.count >= (hasLine || !begun.contains(0x0D) ? Self.beginningSize : Self.longestSearch)
      if isEnough || hasLine && source?.isRegular != true { return true }
      guard try fill(wait: wait) else { return false }
    }
    return true
  }

  /// Looks at the file's beginning, and begins with its records if it can be read.
  private func begin() {
    if input.count == 0 || source?.isCutShort == true, InputFormat.isCompressed(file.name),
      source?.compression == nil
    {
      return fail("is named as a compressed file and has \(input.count) bytes; it was cut off")
    }
    let format = options.format ?? InputFormat(name: file.name)
    let begun = input.bytes[input.range]
    let found =
      zipped(begun, name: file.name) ?? stranger(begun, isWhole: input.isAtEnd)
      ?? (format == .jsonl ? strangeJSON(withoutMark(begun), isWhole: input.isAtEnd) : nil)
    if let found {
      return fail("is \(found.kind); \(remedy(found, format ?? .text))")
    }
    if begun.count > withoutMark(begun).count { input.take(3) }
    let isReturnOnly = begun.contains(0x0D) && !begun.contains(0x0A)
    let settings = RecordSettings(
      file: file.name.text, textField: options.textField, limit: options.longestRecord,
      lineEnd: isReturnOnly ? 0x0D : 0x0A, isFormatGuessed: format == nil)
    stage = .records
    switch format ?? .text {
    case .text: self.format = TextRecords(settings)
    case .jsonl: self.format = JSONRecords(settings)
    case .csv: self.format = DelimitedRecords(settings, hasQuotes: true)
    case .tsv: self.format = DelimitedRecords(settings, hasQuotes: false)
    }
  }

  private func withoutMark(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes
  }

  /// What a user types to make of the file one that can be read.
  private func remedy(_ found: Stranger, _ format: InputFormat) -> String {
    let name = file.isStandardInput ? "FILE" : shellWord(file.name)
    if let command = found.command {
      return "make text of it: \(command.replacing("FILE", with: name))"
    }
    let ending = ["text": "txt"][format.rawValue] ?? format.rawValue
    let filter = found.filter ?? "cat"
    let unpack = source?.compression.map { "\($0) -dc \(name) | \(filter)" } ?? "\(filter) \(name)"
    return "convert it: \(unpack) > converted.\(ending)"
  }
}
