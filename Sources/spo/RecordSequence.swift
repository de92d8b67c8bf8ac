internal import DocumentIO
internal import Synchronization

/// The records of a source as a stream, read by whichever task iterates over it.
///
/// It is iterated over once: the source is opened before, so that an input that cannot be read is
/// known before anything is written.
final class RecordSequence: AsyncSequence, Sendable {
  typealias Element = InputItem

  /// Bytes of all files; nil where one has no size.
  let totalBytes: Int?
  private let read = Atomic(0)
  private let source: Mutex<RecordSource?>

  init(_ source: sending RecordSource) {
    totalBytes = source.totalBytes
    self.source = Mutex(source)
  }

  /// Bytes of files that have been read.
  var readBytes: Int { read.load(ordering: .relaxed) }

  func makeAsyncIterator() -> Iterator {
    let taken = source.withLock { source in
      let taken = source
      source = nil
      return taken
    }
    return Iterator(source: taken, sequence: self)
  }

  struct Iterator: AsyncIteratorProtocol {
    var source: RecordSource?
    let sequence: RecordSequence

    mutating func next() async throws -> InputItem? {
      let item = try source?.next()
      sequence.read.store(source?.readBytes ?? 0, ordering: .relaxed)
      return item
    }
  }
}

extension InputItem {
  /// The text to read; nil of a record that is none.
  var text: String? {
    switch self {
    case .record(let record): record.text
    case .reject: nil
    }
  }
}
