internal import Foundation

/// A file that is open to read parts of it.
final class OpenedFile {
  private let system: SystemCalls
  private let descriptor: Int32
  private static let pieceSize = 1 << 20

  init(_ name: FileName, system: SystemCalls) throws(SystemError) {
    self.system = system
    // A pipe that nobody writes to would wait otherwise.
    descriptor = try system.open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0)
  }

  deinit { try? system.close(descriptor) }

  func status() throws(SystemError) -> FileStatus { try system.descriptorStatus(descriptor) }

  /// Reads a part of the file by pieces; less where the file ends before.
  func read(_ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    try system.seek(descriptor, range.lowerBound)
    let size = min(Self.pieceSize, range.count)
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 1)
    defer { room.deallocate() }
    var left = range.count
    while left > 0 {
      let wanted = UnsafeMutableRawBufferPointer(rebasing: room.prefix(left))
      let count = try system.read(descriptor, wanted)
      if count == 0 { return }
      try body(UnsafeRawBufferPointer(rebasing: wanted.prefix(count)))
      left -= count
    }
  }
}
