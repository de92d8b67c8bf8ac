internal import Foundation

/// What is behind an `OutputFile`: buffers, writes, and gives the file its name.
///
/// A file is opened with the first bytes that are written out, so that a run that fails before
/// changes nothing.
final class OutputWriter {
  private let name: FileName
  private let target: OutputTarget
  private let system: SystemCalls
  private let cancellation: Cancellation
  private var descriptor: Int32?
  private var buffer: [UInt8] = []
  /// Where in the buffer whole records end.
  private var ends: [Int] = []
  private var written = 0

  /// The most bytes that a pipe takes without waiting once it says that it takes any (PIPE_BUF).
  private static let pipePiece = 4_096
  private static let flushAt = 1 << 16

  init(
    _ name: FileName, system: SystemCalls, cancellation: Cancellation
  ) throws(InputOutputError) {
    let system = system.patient
    (self.name, self.system, self.cancellation) = (name, system, cancellation)
    target = try OutputTarget(name, system: system)
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

  /// Adds a record; true when the buffer is to be written out.
  func append(_ body: (inout [UInt8]) -> Void) -> Bool {
    body(&buffer)
    ends.append(buffer.count)
    return buffer.count >= Self.flushAt
  }

  /// Writes out everything.
  func flush() throws {
    guard !buffer.isEmpty else { return }
    let descriptor = try opened()
    var done = 0
    defer { forget(done) }
    while done < buffer.count {
      do throws(SystemError) {
        done += try writeSome(descriptor, from: done)
      } catch {
        if error.code == EINTR || error.code == EAGAIN {
          try cancellation.check()
          continue
        }
        let whole = ends.last { $0 <= done } ?? 0
        cutOff(descriptor, done - whole)
        done = buffer.count
        let kind: InputOutputError.Kind = error.code == EPIPE ? .closedPipe : .output
        throw InputOutputError(kind, "cannot write to \(shown): \(error)")
      }
    }
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

  private var shown: String {
    if case .descriptor(STDOUT_FILENO) = target { return "standard output" }
    return terminalText(name.text)
  }
}

extension OutputWriter {
  /// The descriptor, which is opened where it is not yet.
  private func opened() throws -> Int32 {
    if let descriptor { return descriptor }
    do throws(SystemError) {
      switch target {
      case .descriptor(let number): descriptor = number
      case .shared(let path, _): descriptor = try openPipe(path)
      case .file(let path): descriptor = try openPartial(of: path)
      }
    } catch {
      if error.code == ECANCELED { throw CancellationError() }
      if error.code == EWOULDBLOCK {
        throw InputOutputError(.output, "another run is writing \(shown).partial")
      }
      throw OutputTarget.cannotCreate(name, error)
    }
    return descriptor ?? -1
  }

  /// Opens a pipe as soon as somebody reads it.
  private func openPipe(_ path: FileName) throws(SystemError) -> Int32 {
    while true {
      do throws(SystemError) {
        return try system.open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK, 0)
      } catch {
        guard error.code == ENXIO || error.code == EINTR else { throw error }
      }
      do throws(CancellationError) { try cancellation.check() } catch {
        throw SystemError(ECANCELED)
      }
      // Of no descriptor, it waits its time.
      _ = try system.poll(-1, 0, 50)
    }
  }

  /// Opens the file under its name for the time being, which no other run may have open.
  private func openPartial(of path: FileName) throws(SystemError) -> Int32 {
    while true {
      let partial = partialName(path)
      let flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
      let opened = try system.open(partial, flags, 0o666)
      do throws(SystemError) {
        try lock(opened)
        let status = try system.descriptorStatus(opened)
        guard status.kind == .regular else { throw SystemError(EEXIST) }
        // Whoever had it open before may have given it its name meanwhile.
        if (try? system.status(partial, false))?.identity == status.identity {
          try system.truncate(opened, 0)
          if let old = try? system.status(path, true) {
            try? system.changeMode(opened, old.mode & 0o777)
          }
          return opened
        }
        try system.close(opened)
      } catch {
        try? system.close(opened)
        throw error
      }
    }
  }

  /// Some file systems have no locks.
  private func lock(_ descriptor: Int32) throws(SystemError) {
    do throws(SystemError) { try system.lock(descriptor) } catch {
      guard [ENOLCK, ENOTSUP, EINVAL, ENOSYS].contains(error.code) else { throw error }
    }
  }

  /// Writes out everything, and gives a file its name once the disk holds it.
  func finish() throws {
    try flush()
    guard case .file(let path) = target else { return try closeShared() }
    let descriptor = try opened()
    do throws(SystemError) {
      do throws(SystemError) {
        try system.synchronize(descriptor)
      } catch  where error.code == EINVAL {
        // A file system that cannot.
      }
      self.descriptor = nil
      do throws(SystemError) { try system.close(descriptor) } catch  where error.code == EINTR {
        // It is closed nevertheless.
      }
      try system.rename(partialName(path), path)
    } catch {
      throw InputOutputError(.output, "cannot finish \(shown): \(error)")
    }
  }

  private func closeShared() throws {
    guard case .shared = target, let descriptor else { return }
    self.descriptor = nil
    do throws(SystemError) { try system.close(descriptor) } catch {
      throw InputOutputError(.output, "cannot finish \(shown): \(error)")
    }
  }

  /// Ends without giving a file its name; what was written of it keeps the name for the time
  /// being, which is given. Nothing is kept of an empty one.
  func keep() -> FileName? {
    guard let descriptor else { return nil }
    if case .descriptor = target { return nil }
    try? flush()
    guard self.descriptor != nil else { return nil }
    self.descriptor = nil
    try? system.close(descriptor)
    guard case .file(let path) = target else { return nil }
    if written > 0 { return partialName(path) }
    try? system.unlink(partialName(path))
    return nil
  }
}
