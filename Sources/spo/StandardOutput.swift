internal import DocumentIO
internal import Foundation

/// Standard output of a command that reports: what is written is there, or an error says why.
struct StandardOutput {
  private let sink: OutputFile

  /// Standard output as it is when a command begins.
  init() throws { sink = try OutputFile(FileName("-")) }

  /// Writes a whole text and hands it to the system.
  ///
  /// - Throws: `InputOutputError`: `.output` when it cannot be written, `.closedPipe` when its reader
  ///   has gone.
  func write(_ text: String) throws {
    try append { $0.append(contentsOf: text.utf8) }
    try flush()
  }

  /// Adds to a buffer that is written out when it is large.
  func append(_ body: (inout [UInt8]) -> Void) throws { try sink.appendBlocking(body) }

  /// Writes out everything.
  func flush() throws { try sink.flushBlocking() }
}
