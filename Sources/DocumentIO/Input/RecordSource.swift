internal import Foundation

/// The records of all inputs, one file after the other, read by a thread of their own.
///
/// Items are asked for one by one, by one task at a time. Up to `mostAhead` are read before they
/// are asked for. The thread ends with the last of them, or when the source is let go; it also
/// waits for slow pipes, so that no task does.
public final class RecordSource: AsyncSequence, Sendable {
  /// Bytes of all files, nil where one has no size.
  public let totalBytes: Int?

  /// The most items that are read ahead, and the most bytes of text in them (one item may be
  /// longer).
  public static let mostAhead = (items: 4_096, bytes: 8 << 20)

  let queue = RecordQueue()

  /// The records of files.
  public convenience init(_ inputs: Inputs, options: RecordReader.Options = .init()) {
    self.init(inputs, options: options, system: .real)
  }

  package init(_ inputs: Inputs, options: RecordReader.Options, system: SystemCalls) {
    totalBytes = inputs.byteCount
    let queue = queue
    let thread = Thread { Self.read(inputs, options, system, queue) }
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

  /// Bytes of files that have been read; all of a file that is done with, whatever it was.
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

  private static func read(
    _ inputs: Inputs, _ options: RecordReader.Options, _ system: SystemCalls, _ queue: RecordQueue
  ) {
    defer { queue.end() }
    queue.add(inputs.notices.map(InputItem.notice), readBytes: 0)
    var done = 0
    for file in inputs.files {
      let reader = RecordReader(
        file, options: options, system: system, cancellation: queue.cancellation)
      do throws(CancellationError) { try read(reader, done, queue) } catch { return }
      done += file.byteCount ?? reader.consumedFileBytes
      queue.add([], readBytes: done)
    }
  }

  /// Reads one file. What has come is given out before more is waited for.
  private static func read(
    _ reader: RecordReader, _ done: Int, _ queue: RecordQueue
  ) throws(CancellationError) {
    var batch: [InputItem] = []
    var bytes = 0
    var mayWait = false
    // Few at a time at first, so that the first go out soon; handing over has its price, too.
    var most = 16
    while true {
      let step = try reader.step(wait: mayWait)
      if case .item(let item) = step {
        batch.append(item)
        bytes += item.byteCount
      }
      let isFull = batch.count >= most || bytes >= 1 << 18
      if case .item = step, !isFull, !mayWait { continue }
      queue.add(batch, readBytes: done + reader.consumedFileBytes)
      try queue.cancellation.check()
      if isFull { most = Swift.min(2 * most, mostAhead.items / 4) }
      (batch, bytes) = ([], 0)
      if case .end = step { return }
      if case .wouldWait = step { mayWait = true } else { mayWait = false }
    }
  }
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
