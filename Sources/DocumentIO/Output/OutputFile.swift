internal import Foundation

/// Output to a file, a pipe or standard output; what is in it is written or reported.
///
/// A file is written beside the one that it replaces, under its name with `.partial` at the end,
/// and gets its name when it is whole: nobody ever sees half of it, and a run that fails leaves
/// the old one as it was. Standard output, devices and pipes are written to as they are. Waiting
/// for whoever reads a pipe blocks no task, and ends when the task is cancelled. What has a name
/// ending in `.gz` or `.zst` is compressed.
///
/// It is Sendable because the lock is held around all that the writer does.
public final class OutputFile: @unchecked Sendable {
  private let lock = NSLock()
  private let writer: OutputWriter
  private let cancellation = Cancellation()
  private let queue = DispatchQueue(label: "spo writer")
  package let isFile: Bool

  /// Whether its name says that it is compressed.
  public let isCompressed: Bool
  /// Whether a terminal shows it.
  public let isTerminal: Bool

  /// An output to a path, `-` being standard output; nothing is changed until bytes are written
  /// out.
  ///
  /// - Throws: `InputOutputError` when it cannot be written.
  public convenience init(_ name: FileName) throws(InputOutputError) {
    try self.init(name, system: .real)
  }

  package init(_ name: FileName, system: SystemCalls) throws(InputOutputError) {
    writer = try OutputWriter(name, system: system, cancellation: cancellation)
    (isTerminal, isFile) = (writer.isTerminal, writer.isFile)
    isCompressed = OutputCompression(name: name) != nil
  }

  /// Whether a name is that of a file to be written beside and replaced, no device, pipe or open
  /// descriptor.
  public static func isFile(_ name: FileName) -> Bool {
    guard case .file? = try? OutputTarget(name, system: .real.patient) else { return false }
    return true
  }

  /// Adds a whole record through `body`, and writes out when much has been added.
  public func append(_ body: (inout [UInt8]) -> Void) async throws {
    if try locked({ try $0.append(body) }) { try await flush() }
  }

  /// Writes out everything.
  ///
  /// - Throws: `InputOutputError`, after which a file ends with its last whole record;
  ///   `CancellationError` where it would have to wait.
  public func flush() async throws { try await perform { try $0.flush() } }

  /// `append` for commands that have no other task to keep waiting.
  public func appendBlocking(_ body: (inout [UInt8]) -> Void) throws {
    try locked { if try $0.append(body) { try $0.flush() } }
  }

  /// `flush` for commands that have no other task to keep waiting.
  public func flushBlocking() throws { try locked { try $0.flush() } }

  /// Writes out everything, has the disk hold it, and gives the file its name.
  public func finish() async throws { try await perform { try $0.finish() } }

  /// Ends without giving the file its name, and says under which one the records written so far
  /// are kept; nil where there are none, or where they went to a pipe or to standard output.
  public func keepPartial() -> FileName? { locked { $0.keep() } }

  /// Writes a whole file at once.
  public static func write(_ bytes: [UInt8], to name: FileName) throws {
    try write(bytes, to: name, system: .real)
  }

  package static func write(_ bytes: [UInt8], to name: FileName, system: SystemCalls) throws {
    let writer = try OutputWriter(name, system: system, cancellation: Cancellation())
    _ = try writer.append { $0 += bytes }
    try writer.finish()
  }

  func locked<Result>(_ body: (OutputWriter) throws -> Result) rethrows -> Result {
    try lock.withLock { try body(writer) }
  }

  /// Files are written where the caller runs: disks do not keep one waiting for long. Pipes are
  /// written by a thread of Dispatch.
  private func perform(_ body: @escaping @Sendable (OutputWriter) throws -> Void) async throws {
    if isFile { return try locked(body) }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        queue.async {
          continuation.resume(with: Result { try self.locked(body) })
        }
      }
    } onCancel: {
      cancellation.cancel()
    }
  }
}
