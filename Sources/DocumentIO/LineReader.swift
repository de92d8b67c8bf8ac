/// Lines of a file or of standard input, gzip-compressed or plain, with their byte offsets.
///
/// Memory is bounded by the length limit: of a longer line only the first `limit` bytes are kept.
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

  private let limit: Int
  private let source: ByteSource
  private var buffer = [UInt8](repeating: 0, count: 1 << 16)
  private var filled = 0
  private var at = 0
  private var offset = 0
  private var number = 0

  /// Opens a path, `-` being standard input.
  public init(path: String, limit: Int) throws {
    source = try ByteSource(path: path)
    self.limit = limit
  }

  /// Bytes of the file read so far, as they lie there.
  public var consumedFileBytes: Int { source.consumed }

  /// Whether the next line has not begun to come yet.
  public var wouldWait: Bool { at == filled && source.wouldWait }

  /// The next line, nil at the end.
  public func next() throws -> Line? {
    var bytes: [UInt8] = []
    var total = 0
    let start = offset
    while true {
      if at == filled {
        (at, filled) = (0, try source.read(into: &buffer))
        if filled == 0 {
          if total == 0 { return nil }
          number += 1
          return Line(
            number: number, byte: start, bytes: bytes, byteCount: total, isTerminated: false)
        }
      }
      let end = buffer[at..<filled].firstIndex(of: 0x0A)
      let piece = buffer[at..<(end ?? filled)]
      bytes.append(contentsOf: piece.prefix(limit - bytes.count))
      total += piece.count
      offset += piece.count + (end == nil ? 0 : 1)
      at = end.map { $0 + 1 } ?? filled
      if end != nil {
        number += 1
        return Line(
          number: number, byte: start, bytes: bytes, byteCount: total, isTerminated: true)
      }
    }
  }
}
