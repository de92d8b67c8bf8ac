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

  enum Stage {
    case unopened, beginning, header, searching(LineSearch), checking, records, finished
  }

  let file: InputFile
  let extent: Extent
  let options: Options
  /// The number of the part, for the places of its items.
  let part: Int
  private let system: SystemCalls
  let cancellation: Cancellation
  var stage = Stage.unopened
  private(set) var source: ByteSource?
  var input = InputBuffer()
  var format: (any RecordFormat)?
  /// What ends a line of the file.
  var lineEnd: UInt8 = 0x0A
  /// Where its first record can begin.
  var firstByte = 0
  /// Why the file could not be read to its end.
  private(set) var fault: String?
  private var ready: ReadyItems

  /// A reader of one file, which is opened with the first record.
  public convenience init(
    _ file: InputFile, extent: Extent = .whole, options: Options = .init()
  ) {
    self.init(
      InputPart(file, extent: extent), options: options, system: .real,
      cancellation: Cancellation())
  }

  init(
    _ part: InputPart, number: Int = 0, options: Options, system: SystemCalls,
    cancellation: Cancellation
  ) {
    (file, extent, self.part, self.options) = (part.file, part.extent, number, options)
    (self.system, self.cancellation) = (system, cancellation)
    ready = ReadyItems(extent)
  }

  /// How far the file has been read, in bytes as they lie there; what an extent leaves out at the
  /// beginning counts as read.
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
      case .header:
        if !beginRecords(), try !fillOrFinish(wait: wait) { return .wouldWait }
      case .searching(let search): try go(on: search)
      case .checking: try check()
      case .records:
        if let found = format?.next(&input) {
          take(found)
        } else if try !fillOrFinish(wait: wait) {
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
      let isRegular = source?.isRegular == true && !file.isStandardInput
      if extent != .whole, !isRegular { fail("cannot be resumed or cut; \(InputFile.saving)") }
    } catch {
      let reason = error.isMissing ? "it is gone; it was there when reading began" : "\(error)"
      fail("cannot be read: \(reason)")
    }
  }

  private func fillOrFinish(wait: Bool) throws(CancellationError) -> Bool {
    if !input.isAtEnd { return try fill(wait: wait) }
    finish()
    return true
  }

  /// Puts more bytes into the buffer, or notes that there are none; false when that would wait.
  func fill(wait: Bool) throws(CancellationError) -> Bool {
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
    case .record(let record): ready.add(.record(record), at: record.location)
    case .reject(let reject): ready.add(.reject(reject), at: reject.location)
    case .blank(let reject): ready.addBlank(reject)
    case .skipped: ready.skip()
    }
    switch ready.state {
    case .open: return
    case .past: close()
    case .changed: failChanged()
    }
  }

  func notice(_ text: String, isFailure: Bool) {
    ready.say(InputNotice("\(file.shown) \(text)", isFailure: isFailure))
  }

  func fail(_ reason: String) {
    notice(reason, isFailure: true)
    close()
  }

  /// The item that reading was to go on behind is not there.
  func failChanged() {
    let line = extent.after?.line ?? 0
    fail(
      "cannot be gone on with behind its line \(line): no record begins there as before; the file "
        + "has been changed, or is read with other options")
  }

  func close() {
    stage = .finished
    source = nil
  }

  func finish() {
    ready.dropHeld()
    stage = .finished
    guard let fault else {
      if ready.isWaiting { failChanged() }
      return
    }
    let isBegun = consumedFileBytes > 0
    notice(
      isBegun
        ? "was not read to its end: \(fault); what came before was read"
        : "cannot be read: \(fault)",
      isFailure: true)
  }
}
