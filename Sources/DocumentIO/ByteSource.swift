internal import CZlib
internal import Foundation

/// The bytes of a file or of standard input, decompressed where they begin as gzip does.
///
/// Bytes are given as soon as they come, so that a slow pipe is read line by line, and waiting
/// for them ends when the task is cancelled.
final class ByteSource {
  private let path: String
  private let descriptor: Int32
  private var raw = [UInt8](repeating: 0, count: 1 << 16)
  private var rawRange = 0..<0
  private var isAtEnd = false
  private var inflater: Inflater?
  private var hasStarted = false

  /// Bytes taken from the file so far, as they lie there.
  private(set) var consumed = 0

  init(path: String) throws {
    self.path = path
    descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw InputOutputError(.input, "cannot open \(path): \(String(cString: strerror(errno)))")
    }
  }

  deinit { if descriptor != STDIN_FILENO { close(descriptor) } }

  /// Fills the front of `buffer` and returns how many bytes there are; 0 at the end.
  func read(into buffer: inout [UInt8]) throws -> Int {
    if !hasStarted { try start() }
    guard let inflater else {
      if rawRange.isEmpty { try refill() }
      let count = min(buffer.count, rawRange.count)
      buffer.replaceSubrange(0..<count, with: raw[rawRange.prefix(count)])
      rawRange = rawRange.dropFirst(count)
      return count
    }
    while true {
      if rawRange.isEmpty, !isAtEnd { try refill() }
      let step = try inflater.step(raw[rawRange], into: &buffer, path: path, isLast: isAtEnd)
      rawRange = rawRange.dropFirst(step.taken)
      if step.given > 0 || (isAtEnd && rawRange.isEmpty) { return step.given }
    }
  }

  /// Looks at the first two bytes, which tell gzip.
  private func start() throws {
    hasStarted = true
    while rawRange.count < 2, !isAtEnd { try refill() }
    if raw[rawRange].starts(with: [0x1F, 0x8B]) { inflater = try Inflater(path: path) }
  }

  /// Reads more behind what is left, which is moved to the front.
  private func refill() throws {
    raw.replaceSubrange(0..<rawRange.count, with: raw[rawRange])
    rawRange = 0..<rawRange.count
    try wait()
    let room = raw[rawRange.count...]
    let count = room.indices.isEmpty ? 0 : try readRaw(at: rawRange.count)
    isAtEnd = count == 0
    rawRange = 0..<rawRange.count + count
    consumed += count
  }

  private func readRaw(at offset: Int) throws -> Int {
    while true {
      let count = raw.withUnsafeMutableBytes {
        Foundation.read(descriptor, $0.baseAddress! + offset, $0.count - offset)  // never empty
      }
      if count >= 0 { return count }
      guard errno == EINTR else {
        throw InputOutputError(.input, "cannot read \(path): \(String(cString: strerror(errno)))")
      }
    }
  }

  /// Whether the next read would have to wait for whoever writes to this pipe.
  var wouldWait: Bool {
    var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return rawRange.isEmpty && !isAtEnd && poll(&request, 1, 0) == 0
  }

  /// Waits for bytes, and looks every tenth of a second whether anyone still wants them.
  private func wait() throws {
    var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    repeat { try Task.checkCancellation() } while poll(&request, 1, 100) == 0
  }
}

/// zlib's inflate over the members of a gzip file.
private final class Inflater {
  private var stream = z_stream()
  private var isBetweenMembers = false

  init(path: String) throws {
    // 16 asks for the gzip wrapper, 15 is the largest window.
    let version = ZLIB_VERSION
    guard inflateInit2_(&stream, 16 + 15, version, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { throw InputOutputError(.input, "cannot start to decompress \(path)") }
  }

  deinit { inflateEnd(&stream) }

  /// Decompresses what it can; `isLast` tells that no input follows.
  func step(
    _ input: ArraySlice<UInt8>, into output: inout [UInt8], path: String, isLast: Bool
  ) throws -> (taken: Int, given: Int) {
    if isBetweenMembers {
      if input.isEmpty { return (0, 0) }
      inflateReset(&stream)
      isBetweenMembers = false
    }
    let code = input.withUnsafeBufferPointer { input in
      output.withUnsafeMutableBufferPointer { output in
        // zlib only reads through next_in, whatever its type says.
        stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        stream.avail_in = UInt32(input.count)
        stream.next_out = output.baseAddress
        stream.avail_out = UInt32(output.count)
        return inflate(&stream, Z_NO_FLUSH)
      }
    }
    let (taken, given) = (input.count - Int(stream.avail_in), output.count - Int(stream.avail_out))
    isBetweenMembers = code == Z_STREAM_END
    if code == Z_OK || code == Z_STREAM_END || (code == Z_BUF_ERROR && !isLast) {
      return (taken, given)
    }
    let reason = code == Z_BUF_ERROR ? "it ends in the middle" : message(code)
    throw InputOutputError(.input, "cannot decompress \(path): \(reason)")
  }

  private func message(_ code: Int32) -> String {
    stream.msg.map { String(cString: $0) } ?? "zlib error \(code)"
  }
}
