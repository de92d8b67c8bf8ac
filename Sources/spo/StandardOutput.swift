internal import DocumentIO
internal import Foundation

/// Standard output of a command that reports: what is written is there, or an error says why.
struct StandardOutput {
  private let sink: OutputSink

  /// Standard output as it is when a command begins.
  init() throws { sink = try OutputSink(path: "-") }

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

/// The three descriptors that a program is started with.
enum StandardDescriptors {
  /// Holds the place of those that are closed, before a file is opened and takes it: results would
  /// be read from it, written into it, or mixed with messages. Standard input and output then fail
  /// when they are used, messages are lost.
  static func holdClosed() {
    for (descriptor, mode) in [
      (STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_WRONLY),
    ] where isClosed(descriptor) {
      let held = open("/dev/null", mode)
      guard held >= 0, held != descriptor else { continue }
      dup2(held, descriptor)
      close(held)
    }
  }

  /// Whether it is closed, or an event descriptor that gRPC's core leaves there while it is loaded,
  /// when its first is number 0. No program is started with one of those, which have no file type.
  private static func isClosed(_ descriptor: Int32) -> Bool {
    var status = stat()
    return fstat(descriptor, &status) != 0 || status.st_mode & S_IFMT == 0
  }
}
