internal import Foundation

/// A line or record as it lies in the buffer that it was found in, until that is filled again.
struct Frame {
  /// The number of its first line, from 1.
  var line: Int
  /// Where it begins in the stream.
  var byte: Int
  /// Its bytes in the buffer's storage, without the line end; empty where it is too long.
  var range: Range<Int>
  /// How many bytes it had.
  var byteCount: Int
  /// Whether a line end followed.
  var isTerminated: Bool
  /// The beginning of a line over the limit, of which the rest was let go.
  var beginning: [UInt8]?
}

/// Cuts a stream into lines: bytes in, lines out, however the bytes come.
struct LineMachine {
  /// The most bytes of a line.
  let limit: Int
  /// What ends one: a line feed, or a carriage return in files that know no other.
  var lineEnd: UInt8 = 0x0A

  /// The number of the line that comes next.
  private(set) var line: Int
  private var scanned = 0
  private var tooLong: Frame?

  /// Whether a line over the limit is being let go by.
  var isWithinLine: Bool { tooLong != nil }

  init(limit: Int, lineEnd: UInt8 = 0x0A, line: Int = 1) {
    (self.limit, self.lineEnd, self.line) = (min(limit, .max - 1), lineEnd, line)
  }

  /// The next line; nil when more bytes are needed, or when there are none at the end.
  mutating func next(_ input: inout InputBuffer) -> Frame? {
    if tooLong != nil { return rest(&input) }
    let found = Self.find(lineEnd, input, from: scanned)
    let length = found ?? input.count
    if length > limit {
      let kept = Array(input.bytes[input.range.prefix(limit)])
      tooLong = Frame(
        line: line, byte: input.offset, range: 0..<0, byteCount: 0, isTerminated: false,
        beginning: kept)
      scanned = 0
      return rest(&input)
    }
    guard found != nil || input.isAtEnd else {
      scanned = length
      return nil
    }
    scanned = 0
    guard found != nil || length > 0 else { return nil }
    defer { line += 1 }
    let frame = Frame(
      line: line, byte: input.offset, range: input.start..<input.start + length,
      byteCount: length, isTerminated: found != nil, beginning: nil)
    input.take(length + (found == nil ? 0 : 1))
    return frame
  }

  /// Lets a line over the limit go by, and counts it.
  private mutating func rest(_ input: inout InputBuffer) -> Frame? {
    let found = Self.find(lineEnd, input, from: 0)
    let length = found ?? input.count
    tooLong?.byteCount += length
    input.take(length + (found == nil ? 0 : 1))
    guard found != nil || input.isAtEnd, var frame = tooLong else { return nil }
    tooLong = nil
    line += 1
    frame.isTerminated = found != nil
    return frame
  }

  /// Counts line ends within a record that was taken by another machine.
  mutating func skip(lines: Int) { line += lines }

  /// How far from the start of the buffer the byte stands, looked for from `from` on.
  static func find(_ byte: UInt8, _ input: borrowing InputBuffer, from: Int) -> Int? {
    let count = input.count - from
    guard count > 0 else { return nil }
    let begin = input.start + from
    return input.bytes.withUnsafeBytes { all in
      guard let base = all.baseAddress, let hit = memchr(base + begin, Int32(byte), count) else {
        return nil
      }
      return from + (UnsafeRawPointer(hit) - (base + begin))
    }
  }
}
