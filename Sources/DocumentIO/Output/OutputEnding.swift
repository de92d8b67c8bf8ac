internal import Foundation

extension OutputWriter {
  /// Writes out everything, and gives a file its name once the disk holds it.
  func finish() throws {
    try endMember()
    try flush()
    guard case .file = target else { return try closeShared() }
    _ = try opened()
    try synchronize()
    try publish()
  }

  /// Has the disk hold what was written to a file.
  func synchronize() throws(InputOutputError) {
    guard case .file = target, let descriptor else { return }
    do throws(SystemError) { try system.synchronize(descriptor) } catch {
      // Some file systems cannot.
      guard error.code != EINVAL else { return }
      // What the disk has of it is not known, also when it says yes the next time.
      throw failed(.output, "cannot finish writing to \(shown): \(error)")
    }
  }

  /// Gives a file its name; the disk holds it already.
  func publish() throws {
    guard case .file(let path) = target else { return }
    let descriptor = try opened()
    self.descriptor = nil
    do throws(SystemError) {
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
    guard descriptor != nil else { return nil }
    if case .descriptor = target { return nil }
    try? endMember()
    try? flush()
    guard let descriptor else { return nil }
    self.descriptor = nil
    try? system.close(descriptor)
    guard case .file(let path) = target else { return nil }
    if written > 0 { return partialName(path) }
    try? system.unlink(partialName(path))
    return nil
  }
}

extension SystemCalls {
  /// Has the disk hold the names in a file's directory, where the file system can.
  package func synchronizeDirectory(of path: FileName) throws(SystemError) {
    let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC
    let descriptor: Int32
    do throws(SystemError) { descriptor = try open(path.directory, flags, 0) } catch {
      // Files can be made in some directories that cannot be read.
      guard error.code != EACCES else { return }
      throw error
    }
    defer { try? close(descriptor) }
    do throws(SystemError) { try synchronize(descriptor) } catch {
      guard error.code != EINVAL, error.code != ENOTSUP else { return }
      throw error
    }
  }
}
