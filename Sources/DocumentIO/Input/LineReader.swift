/// Lines of a file or of standard input, plain or compressed as gzip or zstd, with their places.
///
/// Memory is bounded by the length limit: of a longer line only the first `limit` bytes are kept.
/// Waiting for bytes ends when the task is cancelled.
public final class LineReader {
  /// One line without its line feed.
  public struct Line {
    /// From 1.
    public var number: Int
    /// Where it begins in the decompressed stream.
    public var byte: Int
    /// Its bytes, at most the limit.
    public var bytes: [UInt8]
    /// How many bytes it had in the input.
    public var byteCount: Int
    /// Whether a line feed followed.
    public var isTerminated: Bool
    /// Whether bytes are missing.
    public var isOverlong: Bool { byteCount > bytes.count }
  }

  private let source: ByteSource
  private let name: String
  private var machine: LineMachine
  private var input = InputBuffer()

  /// Opens a path, `-` being standard input.
  public convenience init(path: String, limit: Int) throws {
    try self.init(name: FileName(path), limit: limit, system: .real)
  }

  /// Opens a file by its name, `-` being standard input.
  public convenience init(name: FileName, limit: Int) throws {
    try self.init(name: name, limit: limit, system: .real)
  }

  package init(name file: FileName, limit: Int, system: SystemCalls) throws {
    name = file == FileName("-") ? "standard input" : terminalText(file.text)
    machine = LineMachine(limit: limit)
    do throws(SystemError) {
      source = try ByteSource(file, system: system, cancellation: Cancellation())
    } catch {
      throw InputOutputError(.input, "cannot open \(name): \(error)")
    }
  }

  /// Bytes of the file read so far, as they lie there.
  public var consumedFileBytes: Int { source.consumed }

  /// The next line, nil at the end.
  ///
  /// - Throws: `InputOutputError` when not all can be read, `CancellationError`.
  public func next() throws -> Line? {
    while true {
      if let frame = machine.next(&input) {
        return Line(
          number: frame.line, byte: frame.byte,
          bytes: frame.beginning ?? Array(input.bytes[frame.range]), byteCount: frame.byteCount,
          isTerminated: frame.isTerminated)
      }
      if input.isAtEnd { return nil }
      guard case .end(let fault) = try source.fill(&input, wait: true) else { continue }
      input.isAtEnd = true
      if let fault { throw InputOutputError(.input, "\(name) was not read to its end: \(fault)") }
    }
  }
}
