internal import Foundation

extension SystemCalls {
  /// The operating system's own.
  package static let real = SystemCalls(
    open: { name, flags, mode throws(SystemError) in
      try checked(name.withCString { Foundation.open($0, flags, mode_t(mode)) })
    },
    duplicate: { descriptor throws(SystemError) in
      try checked(fcntl(descriptor, F_DUPFD_CLOEXEC, 3))
    },
    close: { descriptor throws(SystemError) in _ = try checked(Foundation.close(descriptor)) },
    read: { descriptor, buffer throws(SystemError) in
      try checked(Foundation.read(descriptor, buffer.baseAddress, buffer.count))
    },
    seek: { descriptor, byte throws(SystemError) in
      _ = try checked(lseek(descriptor, off_t(byte), SEEK_SET))
    },
    write: { descriptor, buffer throws(SystemError) in
      try checked(Foundation.write(descriptor, buffer.baseAddress, buffer.count))
    },
    poll: { descriptor, events, milliseconds throws(SystemError) in
      var request = pollfd(fd: descriptor, events: events, revents: 0)
      return try checked(Foundation.poll(&request, 1, milliseconds)) > 0
    },
    status: { name, follows throws(SystemError) in
      var found = Foundation.stat()
      _ = try checked(name.withCString { follows ? stat($0, &found) : lstat($0, &found) })
      return FileStatus(found)
    },
    descriptorStatus: { descriptor throws(SystemError) in
      var found = Foundation.stat()
      _ = try checked(fstat(descriptor, &found))
      return FileStatus(found)
    },
    list: list,
    readLink: { name throws(SystemError) in
      var target = [CChar](repeating: 0, count: Int(PATH_MAX))
      let count = try checked(name.withCString { readlink($0, &target, target.count) })
      return FileName(bytes: target.prefix(count).map { UInt8(bitPattern: $0) })
    },
    access: { name, use throws(SystemError) in
      _ = try checked(name.withCString { Foundation.access($0, use) })
    },
    lock: { descriptor throws(SystemError) in
      _ = try checked(flock(descriptor, LOCK_EX | LOCK_NB))
    },
    changeMode: { descriptor, mode throws(SystemError) in
      _ = try checked(fchmod(descriptor, mode_t(mode)))
    },
    truncate: { descriptor, size throws(SystemError) in
      _ = try checked(ftruncate(descriptor, off_t(size)))
    },
    synchronize: { descriptor throws(SystemError) in _ = try checked(fsync(descriptor)) },
    rename: { old, new throws(SystemError) in
      _ = try checked(old.withCString { old in new.withCString { Foundation.rename(old, $0) } })
    },
    unlink: { name throws(SystemError) in
      _ = try checked(name.withCString { Foundation.unlink($0) })
    })

  private static func list(_ directory: FileName) throws(SystemError) -> [FileName] {
    guard let stream = directory.withCString({ opendir($0) }) else { throw SystemError(errno) }
    defer { closedir(stream) }
    var names: [FileName] = []
    while true {
      errno = 0
      guard let entry = readdir(stream) else {
        guard errno == 0 else { throw SystemError(errno) }
        return names
      }
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { FileName(bytes: $0) }
      if name.bytes != [0x2E], name.bytes != [0x2E, 0x2E] { names.append(name) }
    }
  }
}

/// The result of a call that gives -1 where it fails.
private func checked<Value: SignedInteger>(_ value: Value) throws(SystemError) -> Value {
  guard value >= 0 else { throw SystemError(errno) }
  return value
}

extension SystemError: CustomStringConvertible {
  static let interrupted = EINTR

  /// Whether it says that a name is not there.
  var isMissing: Bool { code == ENOENT || code == ENOTDIR }

  /// What the system says of it.
  package var description: String { String(cString: strerror(code)) }
}

extension FileStatus.Kind: CustomStringConvertible {
  /// Its name in messages.
  package var description: String {
    switch self {
    case .regular: "regular file"
    case .directory: "directory"
    case .link: "link"
    case .pipe: "named pipe"
    case .socket: "socket"
    case .device: "device"
    }
  }
}

extension FileStatus {
  init(_ found: stat) {
    kind =
      switch found.st_mode & S_IFMT {
      case S_IFREG: .regular
      case S_IFDIR: .directory
      case S_IFLNK: .link
      case S_IFIFO: .pipe
      case S_IFSOCK: .socket
      default: .device
      }
    identity = FileIdentity(device: UInt64(found.st_dev), number: UInt64(found.st_ino))
    size = Int(found.st_size)
    modified = Int(found.st_mtim.tv_sec) * 1_000_000_000 + Int(found.st_mtim.tv_nsec)
    mode = UInt32(found.st_mode & 0o7777)
  }
}
