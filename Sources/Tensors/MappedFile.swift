internal import Foundation

/// A file mapped read-only into memory for as long as the object lives.
///
/// The mapping is private: a file that is replaced stays mapped as it was. A file that is
/// truncated while mapped ends the process on access (SIGBUS), as with every mapping.
public final class MappedFile: Sendable {
  /// The path it was opened by.
  public let path: String
  /// The number of bytes.
  public let count: Int
  // The address is written once, in init, and the memory behind it is never written.
  private nonisolated(unsafe) let base: UnsafeRawPointer?

  /// Maps a file. Throws `MappedFileError` with the system's reason.
  public init(path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw MappedFileError(path: path, step: "open", errno: errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw MappedFileError(path: path, step: "stat", errno: errno)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw MappedFileError(path: path, step: "map (it is not a regular file)", errno: EINVAL)
    }
    self.path = path
    count = Int(status.st_size)
    guard count > 0 else {
      base = nil
      return
    }
    let address = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0)
    guard let address, address != MAP_FAILED else {
      throw MappedFileError(path: path, step: "map", errno: errno)
    }
    base = UnsafeRawPointer(address)
  }

  deinit {
    if let base { munmap(UnsafeMutableRawPointer(mutating: base), count) }
  }

  /// Calls `body` with the bytes of `range`, which must lie within the file.
  public func withBytes<Result>(
    _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "range outside the file")
    return try body(
      UnsafeRawBufferPointer(start: base.map { $0 + range.lowerBound }, count: range.count))
  }
}

/// A system call that failed while a file was being mapped.
public struct MappedFileError: Error, CustomStringConvertible {
  /// The file.
  public let path: String
  /// What was being done.
  public let step: String
  /// The system's error number.
  public let errno: Int32

  /// Path, step and the system's words.
  public var description: String { "cannot \(step) \(path): \(String(cString: strerror(errno)))" }
}
