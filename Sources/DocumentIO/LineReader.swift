internal import CZlib
internal import Foundation

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

  private let path: String
  private let limit: Int
  private let stream: gzFile
  private var buffer = [UInt8](repeating: 0, count: 1 << 16)
  private var filled = 0
  private var at = 0
  private var offset = 0
  private var number = 0

  /// Opens a path, `-` being standard input.
  public init(path: String, limit: Int) throws {
    let descriptor = path == "-" ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0, let stream = gzdopen(descriptor, "rb") else {
      throw InputOutputError(.input, "cannot open \(path): \(String(cString: strerror(errno)))")
    }
    gzbuffer(stream, 1 << 17)
    (self.path, self.limit, self.stream) = (path, limit, stream)
  }

  deinit { gzclose(stream) }

  /// Bytes of input behind the lines given so far, as they lie in the file.
  public var consumedFileBytes: Int { Int(gzoffset(stream)) }

  /// The next line, nil at the end.
  public func next() throws -> Line? {
    var bytes: [UInt8] = []
    var total = 0
    let start = offset
    while true {
      if at == filled {
        try refill()
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

  private func refill() throws {
    at = 0
    let count = buffer.withUnsafeMutableBytes { gzread(stream, $0.baseAddress, UInt32($0.count)) }
    var code: Int32 = 0
    let message = gzerror(stream, &code)
    guard count >= 0, code == Z_OK || code == Z_STREAM_END else {
      filled = 0
      let reason =
        code == Z_ERRNO ? String(cString: strerror(errno)) : message.map { String(cString: $0) }
      throw InputOutputError(
        .input, "cannot read \(path) past byte \(offset): \(reason ?? "zlib error \(code)")")
    }
    filled = Int(count)
  }
}
