internal import Foundation

/// What a path of an output stands for.
enum OutputTarget {
  /// An open descriptor: standard output, or one that the shell has made.
  case descriptor(Int32)
  /// A device or pipe, which is written to as it is.
  case shared(FileName, FileStatus.Kind)
  /// A file, links followed, to be replaced when the new one is whole.
  case file(FileName)

  /// How far links are followed.
  private static let mostLinks = 40

  init(_ name: FileName, system: SystemCalls) throws(InputOutputError) {
    if let descriptor = Self.descriptor(name) {
      self = .descriptor(descriptor)
      return
    }
    var target = name
    do throws(SystemError) {
      for _ in 0..<Self.mostLinks {
        let status = try system.status(target, false)
        switch status.kind {
        case .link: target = target.directory.appending(try system.readLink(target))
        case .directory: throw SystemError(EISDIR)
        case .socket: throw SystemError(ENXIO)
        case .pipe, .device:
          self = .shared(target, status.kind)
          return
        case .regular:
          self = .file(target)
          return
        }
      }
      throw SystemError(ELOOP)
    } catch {
      guard error.code == ENOENT else { throw Self.cannotCreate(name, error) }
      self = .file(target)
    }
  }

  static func cannotCreate(_ name: FileName, _ error: SystemError) -> InputOutputError {
    InputOutputError(.output, "cannot create \(terminalText(name.text)): \(error)")
  }

  private static func descriptor(_ name: FileName) -> Int32? {
    switch name.text {
    case "-", "/dev/stdout": return STDOUT_FILENO
    case "/dev/stderr": return STDERR_FILENO
    default:
      let folders = ["/dev/fd/", "/proc/self/fd/"]
      guard let folder = folders.first(where: name.text.hasPrefix) else { return nil }
      return Int32(name.text.dropFirst(folder.count))
    }
  }

  /// Finds out, without changing anything, whether it can be written.
  func check(_ name: FileName, system: SystemCalls) throws(InputOutputError) {
    guard case .file(let target) = self else { return }
    do throws(SystemError) {
      let directory = try system.status(target.directory, true)
      guard directory.kind == .directory else { throw SystemError(ENOTDIR) }
      try system.access(target.directory, W_OK | X_OK)
    } catch { throw Self.cannotCreate(name, error) }
  }
}

/// The name under which a file is written until it is whole.
func partialName(_ name: FileName) -> FileName { name.extended(".partial") }
