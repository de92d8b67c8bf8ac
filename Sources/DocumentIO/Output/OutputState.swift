internal import Digest
internal import Foundation

/// What the disk holds of an output at a moment.
public struct OutputState: Sendable, Hashable, Codable {
  /// Its bytes.
  public var bytes: Int
  /// SHA-256 of them, in hexadecimal.
  public var sha256: String

  /// A state.
  public init(bytes: Int, sha256: String) { (self.bytes, self.sha256) = (bytes, sha256) }
}

extension OutputWriter {
  /// Has all bytes hashed from here on, the first.
  func beginDigest() throws { digest = try SHA256() }

  /// Writes out everything, ends the member, and has the disk hold it.
  ///
  /// - Returns: what it holds then.
  func seal() throws -> OutputState {
    if let failure { throw failure }
    try endMember()
    try flush()
    try synchronize()
    return OutputState(bytes: written, sha256: try digest?.current() ?? "")
  }

  /// Opens the file under its name for the time being as it was at `state`: what was written
  /// behind it is taken away.
  ///
  /// - Throws: `InputOutputError` where the file does not begin with what it held then.
  func reopen(at state: OutputState) throws {
    guard case .file(let path) = target, state.bytes > 0 else { return }
    do throws(SystemError) {
      let flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW
      let opened = try system.open(partialName(path), flags, 0)
      descriptor = opened
      try lock(opened)
      written = try system.descriptorStatus(opened).size
      try hash(opened, state.bytes)
      guard written >= state.bytes, (try? digest?.current()) == state.sha256 else {
        descriptor = nil
        try? system.close(opened)
        throw SystemError(EILSEQ)
      }
      try system.truncate(opened, state.bytes)
    } catch { throw cannotReopen(error, state) }
    written = state.bytes
  }

  /// Hashes the beginning of the open file.
  private func hash(_ descriptor: Int32, _ count: Int) throws(SystemError) {
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    defer { room.deallocate() }
    var left = count
    while left > 0 {
      let part = UnsafeMutableRawBufferPointer(rebasing: room.prefix(left))
      let got = try system.read(descriptor, part)
      guard got > 0 else { return }
      do throws(DigestError) {
        try digest?.update(UnsafeRawBufferPointer(rebasing: room.prefix(got)))
      } catch { throw SystemError(EIO) }
      left -= got
    }
  }

  private func cannotReopen(_ error: SystemError, _ state: OutputState) -> InputOutputError {
    let partial = "\(shown).partial"
    switch error.code {
    case EWOULDBLOCK: return InputOutputError(.output, "another run is writing \(partial)")
    case EILSEQ:
      return InputOutputError(
        .conflict, "\(partial) does not begin with the \(state.bytes) bytes that the unfinished run "
          + "had written; it was changed, so the run must begin anew (--restart)")
    case ENOENT:
      return InputOutputError(
        .conflict, "\(partial), of which the unfinished run had written \(state.bytes) bytes, is "
          + "gone; the run must begin anew (--restart)")
    default: return InputOutputError(.output, "cannot go on with \(partial): \(error)")
    }
  }
}

extension OutputFile {
  /// Begins to hash what is written.
  package func beginDigest() throws { try locked { try $0.beginDigest() } }

  /// Goes on with the file that an unfinished run left, as it was at `state`.
  package func reopen(at state: OutputState) throws { try locked { try $0.reopen(at: state) } }

  /// Writes out everything, ends the member of a compressed output, and has the disk hold it.
  package func seal() throws -> OutputState { try locked { try $0.seal() } }

  /// Ends the member of a compressed output.
  package func endMember() throws { try locked { try $0.endMember() } }

  /// Gives a file that is sealed its name.
  package func publish() throws { try locked { try $0.publish() } }

  /// Bytes that have been added and are in no member yet.
  package var pending: Int { locked { $0.pending } }

  /// Ends without giving the file its name, and keeps nothing of it.
  package func discardPartial() {
    locked { writer in
      if let name = writer.keep() { try? writer.system.unlink(name) }
    }
  }
}
