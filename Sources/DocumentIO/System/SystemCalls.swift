/// The calls of the operating system that reading and writing files need.
///
/// They are values, so that a test can make any of them fail at any time. Each throws what errno
/// says; nothing is tried again here.
package struct SystemCalls: Sendable {
  /// Opens a file by flags and, where it is made, permissions.
  package var open: @Sendable (FileName, Int32, UInt32) throws(SystemError) -> Int32
  /// A second descriptor of the same open file.
  package var duplicate: @Sendable (Int32) throws(SystemError) -> Int32
  /// Closes a descriptor.
  package var close: @Sendable (Int32) throws(SystemError) -> Void
  /// Reads into the buffer and gives the number of bytes, 0 at the end.
  package var read: @Sendable (Int32, UnsafeMutableRawBufferPointer) throws(SystemError) -> Int
  /// Goes to a byte of a file, counted from its beginning.
  package var seek: @Sendable (Int32, Int) throws(SystemError) -> Void
  /// Writes from the buffer and gives the number of bytes.
  package var write: @Sendable (Int32, UnsafeRawBufferPointer) throws(SystemError) -> Int
  /// Waits for events of a descriptor, at most so many milliseconds; false when none came.
  package var poll: @Sendable (Int32, Int16, Int32) throws(SystemError) -> Bool
  /// What a name stands for; the flag says whether links are followed.
  package var status: @Sendable (FileName, Bool) throws(SystemError) -> FileStatus
  /// What a descriptor stands for.
  package var descriptorStatus: @Sendable (Int32) throws(SystemError) -> FileStatus
  /// The names in a directory, without `.` and `..`, in no order.
  package var list: @Sendable (FileName) throws(SystemError) -> [FileName]
  /// What a link holds.
  package var readLink: @Sendable (FileName) throws(SystemError) -> FileName
  /// Whether the user may use a name so (R_OK, W_OK, X_OK).
  package var access: @Sendable (FileName, Int32) throws(SystemError) -> Void
  /// Locks an open file for this one, without waiting.
  package var lock: @Sendable (Int32) throws(SystemError) -> Void
  /// Sets permissions.
  package var changeMode: @Sendable (Int32, UInt32) throws(SystemError) -> Void
  /// Cuts a file to a length.
  package var truncate: @Sendable (Int32, Int) throws(SystemError) -> Void
  /// Has the disk hold what was written.
  package var synchronize: @Sendable (Int32) throws(SystemError) -> Void
  /// Gives a file another name, in place of what has it.
  package var rename: @Sendable (FileName, FileName) throws(SystemError) -> Void
  /// Takes a name away.
  package var unlink: @Sendable (FileName) throws(SystemError) -> Void
}

/// Why a call of the system failed.
package struct SystemError: Error, Equatable {
  /// errno.
  package var code: Int32

  /// An error.
  package init(_ code: Int32) { self.code = code }
}

/// What is known of a file.
package struct FileStatus: Sendable, Equatable {
  /// What kind of file.
  package enum Kind: Sendable {
    case regular, directory, link, pipe, socket, device
  }
  /// Its kind.
  package var kind: Kind
  /// Which file it is: names, links and descriptors of one file have the same.
  package var identity: FileIdentity
  /// Bytes of a regular file.
  package var size: Int
  /// When its bytes were changed last, in nanoseconds since 1970.
  package var modified: Int
  /// Permission bits.
  package var mode: UInt32
}

/// Device and number of a file, which tell it from all others.
public struct FileIdentity: Sendable, Hashable {
  var device: UInt64
  var number: UInt64
}

extension SystemCalls {
  /// The same calls, made again when a signal interrupts them; but closing, after which the
  /// descriptor is gone all the same.
  package var patient: SystemCalls {
    let own = self
    var calls = self
    calls.open = { name, flags, mode throws(SystemError) in
      try retrying { () throws(SystemError) in try own.open(name, flags, mode) }
    }
    calls.read = { descriptor, buffer throws(SystemError) in
      try retrying { () throws(SystemError) in try own.read(descriptor, buffer) }
    }
    calls.seek = { descriptor, byte throws(SystemError) in
      try retrying { () throws(SystemError) in try own.seek(descriptor, byte) }
    }
    calls.write = { descriptor, buffer throws(SystemError) in
      try retrying { () throws(SystemError) in try own.write(descriptor, buffer) }
    }
    calls.status = { name, follows throws(SystemError) in
      try retrying { () throws(SystemError) in try own.status(name, follows) }
    }
    calls.descriptorStatus = { descriptor throws(SystemError) in
      try retrying { () throws(SystemError) in try own.descriptorStatus(descriptor) }
    }
    calls.list = { name throws(SystemError) in
      try retrying { () throws(SystemError) in try own.list(name) }
    }
    calls.readLink = { name throws(SystemError) in
      try retrying { () throws(SystemError) in try own.readLink(name) }
    }
    calls.access = { name, use throws(SystemError) in
      try retrying { () throws(SystemError) in try own.access(name, use) }
    }
    calls.lock = { descriptor throws(SystemError) in
      try retrying { () throws(SystemError) in try own.lock(descriptor) }
    }
    calls.truncate = { descriptor, size throws(SystemError) in
      try retrying { () throws(SystemError) in try own.truncate(descriptor, size) }
    }
    calls.synchronize = { descriptor throws(SystemError) in
      try retrying { () throws(SystemError) in try own.synchronize(descriptor) }
    }
    calls.rename = { old, new throws(SystemError) in
      try retrying { () throws(SystemError) in try own.rename(old, new) }
    }
    return calls
  }
}

private func retrying<Value>(
  _ call: () throws(SystemError) -> Value
) throws(SystemError) -> Value {
  while true {
    do throws(SystemError) { return try call() } catch {
      guard error.code == SystemError.interrupted else { throw error }
    }
  }
}
