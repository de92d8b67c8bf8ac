internal import Glibc

/// A file of text that is read whole: a vocabulary, a schema.
public enum TextFile {
  /// Why a file is no such text.
  public struct Unreadable: Error, Equatable, CustomStringConvertible {
    /// What was expected and what was found.
    public var description: String
  }

  /// The bytes of a regular file, valid UTF-8, without the mark that may begin it.
  ///
  /// - Parameter limit: a file of more bytes is refused before it is read.
  public static func bytes(path: String, atMost limit: Int) throws(Unreadable) -> [UInt8] {
    // A pipe would else wait for whoever writes to it.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw failure() }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failure() }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw Unreadable(description: "it is \(kind(status.st_mode)), expected a file")
    }
    guard status.st_size <= limit else {
      throw Unreadable(description: "it has \(status.st_size) bytes, expected at most \(limit)")
    }
    return try text(try content(descriptor, Int(status.st_size)))
  }

  private static func content(_ descriptor: Int32, _ size: Int) throws(Unreadable) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: size)
    var filled = 0
    while filled < size {
      let count = bytes.withUnsafeMutableBytes { rest in
        read(descriptor, rest.baseAddress! + filled, size - filled)  // not empty: filled < size
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw failure() }
      if count == 0 { break }
      filled += count
    }
    return Array(bytes.prefix(filled))
  }

  private static func text(_ bytes: [UInt8]) throws(Unreadable) -> [UInt8] {
    if let encoding = encoding(ofStart: bytes) {
      throw Unreadable(description: "it is \(encoding), expected UTF-8")
    }
    guard bytes.withUnsafeBufferPointer({ String(validating: $0, as: UTF8.self) }) != nil else {
      throw Unreadable(description: "it is not valid UTF-8")
    }
    return bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
  }

  /// The name of the encoding that a file's first bytes mark; nil for UTF-8 and without a mark.
  public static func encoding(ofStart bytes: [UInt8]) -> String? {
    let marks: [([UInt8], String)] = [
      ([0xFF, 0xFE, 0, 0], "UTF-32"), ([0, 0, 0xFE, 0xFF], "UTF-32"), ([0xFF, 0xFE], "UTF-16"),
      ([0xFE, 0xFF], "UTF-16"),
    ]
    return marks.first { bytes.starts(with: $0.0) }?.1
  }

  private static func failure() -> Unreadable {
    Unreadable(description: String(cString: strerror(errno)))
  }

  private static func kind(_ mode: mode_t) -> String {
    switch mode & S_IFMT {
    case S_IFDIR: "a directory"
    case S_IFIFO: "a pipe"
    case S_IFSOCK: "a socket"
    default: "a device"
    }
  }
}
