internal import Foundation

extension OutputWriter {
  /// The descriptor, which is opened where it is not yet.
  func opened() throws -> Int32 {
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
  func lock(_ descriptor: Int32) throws(SystemError) {
    do throws(SystemError) { try system.lock(descriptor) } catch {
      guard [ENOLCK, ENOTSUP, EINVAL, ENOSYS].contains(error.code) else { throw error }
    }
  }
}
