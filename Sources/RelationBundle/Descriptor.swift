internal import Foundation

/// An open regular file.
final class Descriptor: Sendable {
  let number: Int32

  /// Opens a path for reading.
  init(_ path: String) throws(BundleError) {
    // Without O_NONBLOCK a named pipe that nobody writes to would be waited for.
    number = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard number >= 0 else { throw BundleError(path, Self.reason(errno)) }
  }

  deinit { close(number) }

  /// What the file is now; throws for what is no regular file.
  func identity(_ path: String) throws(BundleError) -> FileIdentity {
    var status = stat()
    guard fstat(number, &status) == 0 else { throw BundleError(path, Self.reason(errno)) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw BundleError(path, "it is \(Self.kind(status.st_mode)), expected a regular file")
    }
    return FileIdentity(status)
  }

  private static func kind(_ mode: mode_t) -> String {
    switch mode & S_IFMT {
    case S_IFDIR: "a directory"
    case S_IFIFO: "a named pipe"
    case S_IFCHR, S_IFBLK: "a device"
    case S_IFSOCK: "a socket"
    default: "no file"
    }
  }

  /// What the system said, and what helps.
  static func reason(_ error: Int32) -> String {
    switch error {
    case ENOENT: "there is no such file"
    case EACCES, EPERM: "it may not be read by this user"
    case ELOOP: "its symbolic links lead in a circle"
    case ENXIO: "it is a socket or a device without hardware, expected a regular file"
    case EMFILE, ENFILE: "too many files are open; close some, or raise the limit (ulimit -n)"
    case let other: "it cannot be read: \(String(cString: strerror(other)))"
    }
  }
}
