internal import Foundation

/// Finds where to begin in a file of lines so that all that begins at a byte or behind it is found
/// as one reading of the whole finds it: the line before it that holds more than blanks, since
/// empty lines may be nothing at the end of a file, which their number tells.
struct LineSearch {
  /// The last line so far that has a byte other than blanks and line ends.
  private(set) var place = RecordReader.Position(line: 1, byte: 0)

  private let lineEnd: UInt8
  /// The line that the next byte is of.
  private var open = RecordReader.Position(line: 1, byte: 0)
  private var offset = 0

  init(lineEnd: UInt8) { self.lineEnd = lineEnd }

  /// Looks at the bytes that come next.
  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    guard let last = bytes.lastIndex(where: { ![0x20, 0x09, 0x0D, 0x0A].contains($0) }) else {
      return count(bytes)
    }
    count(UnsafeRawBufferPointer(rebasing: bytes[..<last]))
    place = open
    count(UnsafeRawBufferPointer(rebasing: bytes[last...]))
  }

  private mutating func count(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress else { return }
    var at = 0
    while at < bytes.count, let hit = memchr(base + at, Int32(lineEnd), bytes.count - at) {
      at = UnsafeRawPointer(hit) - base + 1
      open = RecordReader.Position(line: open.line + 1, byte: offset + at)
    }
    offset += bytes.count
  }
}
