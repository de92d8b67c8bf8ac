internal import Foundation

/// The bytes of a file or of standard input, decompressed where they begin as gzip or zstd do.
///
/// Bytes are given as soon as they come. Waiting for them, also for whoever opens the other end of
/// a pipe, ends when the work is cancelled.
final class ByteSource {
  /// What came of asking for more.
  enum Filled: Equatable {
    /// There are more bytes.
    case more
    /// Whoever writes to this pipe has not written more.
    case wouldWait
    /// That was all. `fault` says why not all could be read that there should be.
    case end(fault: String?)
  }

  /// How far the file has been taken, in bytes as they lie there.
  private(set) var consumed = 0
  /// Whether it is a regular file, which never lets one wait.
  let isRegular: Bool

  private let system: SystemCalls
  private let cancellation: Cancellation
  private let descriptor: Int32
  private var raw = InputBuffer()
  private var decompressor: Decompressor?
  private var hasStarted = false
  private var fault: String?
  private static let pieceSize = 1 << 16

  /// - Throws: `SystemError` where it cannot be opened; a directory is not opened.
  init(
    _ name: FileName, system: SystemCalls, cancellation: Cancellation
  ) throws(SystemError) {
    let system = system.patient
    (self.system, self.cancellation) = (system, cancellation)
    if name.bytes == [0x2D] {
      descriptor = STDIN_FILENO
    } else {
      // A pipe that nobody writes to is opened at once so; poll waits for the writer.
      let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
      descriptor = try system.open(name, flags, 0)
    }
    do throws(SystemError) {
      let status = try system.descriptorStatus(descriptor)
      if status.kind == .directory { throw SystemError(EISDIR) }
      isRegular = status.kind == .regular
    } catch {
      if descriptor != STDIN_FILENO { try? system.close(descriptor) }
      throw error
    }
  }

  deinit { if descriptor != STDIN_FILENO { try? system.close(descriptor) } }

  /// How the file is compressed, when that is known and it is.
  private(set) var compression: String?

  /// Puts more bytes at the end of `buffer`. Without `wait` it gives `.wouldWait` instead of
  /// waiting; after an end it gives the end again.
  func fill(_ buffer: inout InputBuffer, wait: Bool) throws(CancellationError) -> Filled {
    if !hasStarted {
      guard try start(wait: wait) else { return .wouldWait }
      if decompressor == nil, raw.count > 0 {
        buffer.append(raw.bytes[raw.range])
        raw.take(raw.count)
        return .more
      }
    }
    guard decompressor != nil else { return try read(into: &buffer, wait: wait) }
    return try decompress(into: &buffer, wait: wait)
  }

  /// Goes to a byte of a regular file that is not compressed.
  func seek(to byte: Int) throws(SystemError) {
    precondition(isRegular && hasStarted && decompressor == nil, "only plain files have places")
    try system.seek(descriptor, byte)
    consumed = byte
  }

  /// Whether the file ended before its first bytes could tell whether it is compressed.
  private(set) var isCutShort = false

  /// Looks at the first bytes, which tell the compression; false when they have not come.
  private func start(wait: Bool) throws(CancellationError) -> Bool {
    while !raw.isAtEnd {
      let isEnough = raw.count >= 4 || raw.bytes[raw.range].contains(0x0A)
      if isEnough { break }
      switch try read(into: &raw, wait: wait) {
      case .more: continue
      case .wouldWait: return false
      case .end: raw.isAtEnd = true
      }
    }
    hasStarted = true
    let found = raw.bytes.withUnsafeBytes { all in
      let begin = UnsafeRawBufferPointer(rebasing: all[raw.range])
      isCutShort = raw.isAtEnd && mayBeCompressed(begin)
      return codec(of: begin)
    }
    compression = found?.name
    decompressor = found.map(Decompressor.init)
    return true
  }

  private func decompress(
    into buffer: inout InputBuffer, wait: Bool
  ) throws(CancellationError) -> Filled {
    while true {
      var step = CodecStep()
      buffer.fill(atMost: Self.pieceSize) { output in
        raw.bytes.withUnsafeBytes { all in
          let input = UnsafeRawBufferPointer(rebasing: all[raw.range])
          step = decompressor?.step(input, output, isLast: raw.isAtEnd) ?? CodecStep()
        }
        return step.given
      }
      raw.take(step.taken)
      // A fault comes again with the next step; what was given before it goes out first.
      if step.given > 0 { return .more }
      if let found = step.fault { return .end(fault: fault ?? found) }
      if step.taken > 0 { continue }
      if raw.isAtEnd { return .end(fault: fault) }
      switch try read(into: &raw, wait: wait) {
      case .more: continue
      case .wouldWait: return .wouldWait
      case .end: raw.isAtEnd = true
      }
    }
  }

  private func read(
    into buffer: inout InputBuffer, wait: Bool
  ) throws(CancellationError) -> Filled {
    if fault != nil { return .end(fault: fault) }
    while true {
      try cancellation.check()
      do throws(SystemError) {
        if !isRegular, try !system.poll(descriptor, Int16(POLLIN), wait ? 100 : 0) {
          if wait { continue }
          return .wouldWait
        }
        var count = 0
        try buffer.fill(atMost: Self.pieceSize) { room throws(SystemError) in
          count = try system.read(descriptor, room)
          return count
        }
        consumed += count
        return count > 0 ? .more : .end(fault: nil)
      } catch {
        if error.code == EAGAIN || error.code == EINTR { continue }
        fault = error.code == EBADF ? "it is closed" : "\(error)"
        return .end(fault: fault)
      }
    }
  }
}
