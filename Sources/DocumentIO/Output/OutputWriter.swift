internal import Digest
internal import Foundation

/// What is behind an `OutputFile`: buffers, writes, and gives the file its name.
///
/// A file is opened with the first bytes that are written out, so that a run that fails before
/// changes nothing.
final class OutputWriter {
  let name: FileName
  let target: OutputTarget
  let system: SystemCalls
  let cancellation: Cancellation
  var descriptor: Int32?
  /// Bytes as they are to be written.
  private var buffer: [UInt8] = []
  /// Where in the buffer whole records end, of compressed ones whole members.
  private var ends: [Int] = []
  /// Bytes of the file so far.
  var written = 0
  private let compression: OutputCompression?
  /// Records of a member that is not made yet.
  private var member: [UInt8] = []
  /// Why something could not be written: what came then is lost, so nothing may be built on it.
  var failure: InputOutputError?
  /// Of all bytes written, where whoever began asked for it.
  var digest: SHA256?

  /// The most bytes that a pipe takes without waiting once it says that it takes any (PIPE_BUF).
  private static let pipePiece = 4_096
  static let flushAt = 1 << 16

  init(
    _ name: FileName, system: SystemCalls, cancellation: Cancellation
  ) throws(InputOutputError) {
    let system = system.patient
    (self.name, self.system, self.cancellation) = (name, system, cancellation)
    target = try OutputTarget(name, system: system)
    compression = OutputCompression(name: name)
    try target.check(name, system: system)
    switch target {
    case .descriptor(let number): descriptor = number
    case .shared(let path, .device):
      do throws(SystemError) {
        descriptor = try system.open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY, 0)
      } catch { throw OutputTarget.cannotCreate(name, error) }
    default: break
    }
  }

  deinit { _ = keep() }

  var isTerminal: Bool { descriptor.map { isatty($0) == 1 } ?? false }

  var isFile: Bool { if case .file = target { true } else { false } }

  /// Bytes that have been added and belong to no member yet, or are not written out.
  var pending: Int { max(member.count, buffer.count) }

  /// Adds a record; true when the buffer is to be written out.
  func append(_ body: (inout [UInt8]) -> Void) throws -> Bool {
    guard compression != nil else {
      body(&buffer)
      ends.append(buffer.count)
      return buffer.count >= Self.flushAt
    }
    body(&member)
    guard member.count >= OutputCompression.longestMember else { return false }
    try endMember()
    return true
  }

  /// Compresses what has been added since the last member; does nothing of a plain output.
  func endMember() throws(InputOutputError) {
    guard let compression, !member.isEmpty else { return }
    buffer += try compression.member(of: member)
    ends.append(buffer.count)
    member.removeAll(keepingCapacity: true)
  }

  /// Writes out everything but what belongs to a member that has not ended.
  func flush() throws {
    guard !buffer.isEmpty else { return }
    let descriptor: Int32
    do { descriptor = try opened() } catch let error as InputOutputError {
      failure = error
      throw error
    }
    var done = 0
    defer { forget(done) }
    while done < buffer.count {
      do throws(SystemError) {
        let count = try writeSome(descriptor, from: done)
        try hash(done..<done + count)
        done += count
      } catch {
        if error.code == EINTR || error.code == EAGAIN {
          try cancellation.check()
          continue
        }
        let whole = ends.last { $0 <= done } ?? 0
        cutOff(descriptor, done - whole)
        done = buffer.count
        let kind: InputOutputError.Kind = error.code == EPIPE ? .closedPipe : .output
        throw failed(kind, "cannot write to \(shown): \(error)")
      }
    }
  }

  /// An error that stays.
  func failed(_ kind: InputOutputError.Kind, _ description: String) -> InputOutputError {
    let error = InputOutputError(kind, description)
    failure = error
    return error
  }

  private func writeSome(_ descriptor: Int32, from done: Int) throws(SystemError) -> Int {
    var most = buffer.count - done
    if !isFile, !isRegular(descriptor) {
      guard try system.poll(descriptor, Int16(POLLOUT), 100) else { throw SystemError(EAGAIN) }
      most = min(most, Self.pipePiece)
    }
    var (count, failure) = (0, SystemError?.none)
    buffer.withUnsafeBytes { all in
      let piece = UnsafeRawBufferPointer(rebasing: all[done..<done + most])
      do throws(SystemError) { count = try system.write(descriptor, piece) } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    // A device that takes nothing, and says nothing, would be asked for ever.
    guard count > 0 else { throw SystemError(ENOSPC) }
    written += count
    return count
  }

  private func hash(_ range: Range<Int>) throws(SystemError) {
    guard let digest else { return }
    do {
      try buffer.withUnsafeBytes {
        try digest.update(UnsafeRawBufferPointer(rebasing: $0[range]))
      }
    } catch { throw SystemError(EIO) }
  }

  /// Whether it is a file that the shell opened: none keeps one waiting as a pipe does.
  private func isRegular(_ descriptor: Int32) -> Bool {
    (try? system.descriptorStatus(descriptor).kind) == .regular
  }

  private func forget(_ done: Int) {
    buffer.removeFirst(done)
    ends = ends.filter { $0 > done }.map { $0 - done }
  }

  /// Takes the beginning of a record from the end of a file again.
  private func cutOff(_ descriptor: Int32, _ count: Int) {
    guard count > 0, let status = try? system.descriptorStatus(descriptor),
      status.kind == .regular
    else { return }
    try? system.truncate(descriptor, status.size - count)
    written -= count
  }

  var shown: String {
    if case .descriptor(STDOUT_FILENO) = target { return "standard output" }
    return terminalText(name.text)
  }
}
