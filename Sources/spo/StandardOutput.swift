internal import DocumentIO
internal import Foundation

/// Standard output of a command that reports: what is written is there, or an error says why.
struct StandardOutput {
  private let sink: OutputSink

  /// Made before a command opens anything: where standard output is closed, the next file that is
  /// opened would take its place.
  init() throws {
    guard fcntl(STDOUT_FILENO, F_GETFD) != -1 else {
      throw InputOutputError(
        .output, "standard output is closed; redirect it to a file or /dev/null")
    }
    sink = try OutputSink(path: "-")
  }

  /// Writes a whole text and hands it to the system.
  ///
  /// - Throws: `InputOutputError`: `.output` when it cannot be written, `.closedPipe` when its reader
  ///   has gone.
  func write(_ text: String) throws {
    try append { $0.append(contentsOf: text.utf8) }
    try flush()
  }

  /// Adds to a buffer that is written out when it is large.
  func append(_ body: (inout [UInt8]) -> Void) throws { try sink.append(body) }

  /// Writes out everything.
  func flush() throws { try sink.flush() }
}
