internal import Foundation

/// The records of all inputs, one file after the other, read by a thread of their own.
///
/// Items are asked for one by one, by one task at a time. Up to `mostAhead` are read before they
/// are asked for. The thread ends with the last of them, or when the source is let go; it also
/// waits for slow pipes, so that no task does.
public final class RecordSource: AsyncSequence, Sendable {
  /// Bytes of all files or parts as they lie on disk, nil where one has no size.
  public let totalBytes: Int?

  /// The most items that are read ahead, and the most bytes of text in them (one item may be
  /// longer).
  public static let mostAhead = (items: 4_096, bytes: 8 << 20)

  let queue = RecordQueue()

  /// The records of files.
  public convenience init(_ inputs: Inputs, options: RecordReader.Options = .init()) {
    self.init(inputs, options: options, system: .real)
  }

  package convenience init(_ inputs: Inputs, options: RecordReader.Options, system: SystemCalls) {
    self.init(
      SourcePlan(inputs.files.map { InputPart($0) }, notices: inputs.notices), options, system)
  }

  /// The records of parts of files, in their order; `SourceLocation.part` tells which.
  ///
  /// To go on with a run, give the same parts again, `first` being that of the last record that was
  /// used, with the record as its `extent.after`, and no notices: they have been said. Notices that
  /// came between that record and the next come again.
  ///
  /// - Parameters:
  ///   - parts: all of them.
  ///   - first: the number of the one to begin with; those before it are not opened.
  ///   - notices: what comes before all records.
  /// - Throws: `InputOutputError` where not all is wanted of what is no regular file.
  public convenience init(
    _ parts: [InputPart], first: Int = 0, notices: [InputNotice] = [],
    options: RecordReader.Options = .init()
  ) throws(InputOutputError) {
    try self.init(parts, first: first, notices: notices, options: options, system: .real)
  }

  package convenience init(
    _ parts: [InputPart], first: Int, notices: [InputNotice], options: RecordReader.Options,
    system: SystemCalls
  ) throws(InputOutputError) {
    for part in parts[first...] where part.extent != .whole { try part.file.checkCanBeCut(system) }
    self.init(SourcePlan(parts, first: first, notices: notices), options, system)
  }

  private init(_ plan: SourcePlan, _ options: RecordReader.Options, _ system: SystemCalls) {
    totalBytes = plan.byteCount
    let queue = queue
    let thread = Thread { Self.read(plan, options, system, queue) }
    thread.name = "spo reader"
    thread.start()
  }

  /// Records of texts that are here already; `name` is their file's.
  public init(texts: [String], name: String) {
    totalBytes = nil
    let items = texts.enumerated().map { index, text in
      let location = SourceLocation(file: name, line: index + 1, byte: 0)
      return text.isEmpty
        ? InputItem.reject(Reject(location: location, reason: "the text is empty", raw: []))
        : .record(SourceRecord(location: location, text: text))
    }
    queue.begin(with: items)
  }

  deinit { queue.stop() }

  /// How many of `totalBytes` have been read; all of a file that is done with, whatever it was.
  /// What comes before the place where reading began counts as read.
  public var readBytes: Int { queue.readBytes }

  /// Whether asking for the next item would wait.
  public var wouldWait: Bool { queue.isEmpty }

  /// The next item, nil after the last.
  ///
  /// - Throws: `CancellationError` when the task is cancelled; what was read is not lost by it.
  public func next() async throws -> InputItem? {
    while true {
      try Task.checkCancellation()
      switch queue.pop() {
      case .item(let item): return item
      case .end: return nil
      case .none: await somethingNew()
      }
    }
  }

  /// All items that are there, at least one; nil after the last. As `next`, for who asks often.
  public func nextBatch() async throws -> [InputItem]? {
    while true {
      try Task.checkCancellation()
      guard let items = queue.popAll() else { return nil }
      if !items.isEmpty { return items }
      await somethingNew()
    }
  }

  private func somethingNew() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { queue.wait($0) }
    } onCancel: {
      queue.wake()
    }
  }

  /// What `for await` asks.
  public struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate let source: RecordSource
    /// The next item, nil after the last.
    public func next() async throws -> InputItem? { try await source.next() }
  }

  /// The source itself: there is one position, whoever asks.
  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(source: self) }
}

extension InputItem {
  /// About how many bytes of the input it holds.
  var byteCount: Int {
    switch self {
    case .record(let record):
      record.carried.reduce(record.text.utf8.count) { $0 + $1.json.utf8.count }
    case .reject(let reject): reject.raw.count
    case .notice(let notice): notice.description.utf8.count
    }
  }
}
