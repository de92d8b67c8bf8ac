internal import Foundation

/// Buffered output to a file or to standard output; what is in it is written or reported.
public final class OutputSink {
  private let path: String
  private let descriptor: Int32
  private var buffer: [UInt8] = []
  private static let flushAt = 1 << 16

  /// Creates or replaces a file, `-` being standard output.
  public init(path: String) throws {
    self.path = path == "-" ? "standard output" : path
    descriptor =
      path == "-" ? STDOUT_FILENO : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw InputOutputError(.output, "cannot create \(path): \(String(cString: strerror(errno)))")
    }
  }

  deinit { if descriptor > STDERR_FILENO { close(descriptor) } }

  /// Whether a terminal shows it.
  public var isTerminal: Bool { isatty(descriptor) == 1 }

  /// Adds to the buffer through `body`, and writes it out when it is large.
  public func append(_ body: (inout [UInt8]) -> Void) throws {
    body(&buffer)
    if buffer.count >= Self.flushAt { try flush() }
  }

  /// Writes out everything.
  public func flush() throws {
    var done = 0
    while done < buffer.count {
      let count = buffer[done...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        let reason = String(cString: strerror(errno))
        let kind: InputOutputError.Kind = errno == EPIPE ? .closedPipe : .output
        buffer.removeAll()
        throw InputOutputError(kind, "cannot write to \(path): \(reason)")
      }
      done += count
    }
    buffer.removeAll(keepingCapacity: true)
  }
}
