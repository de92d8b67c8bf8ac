import Foundation
import Synchronization

@testable import DocumentIO

/// The system's calls, of which the n-th fails, or does only a part.
final class FailingSystem: Sendable {
  enum Failure: Sendable {
    case error(Int32)
    /// Reads and writes take one byte; other calls succeed.
    case short
  }

  private let count = Atomic(0)
  private let nth: Int
  private let failure: Failure
  private let last: Mutex<String> = Mutex("")

  /// - Parameter nth: from 1; every call when it is 0.
  init(nth: Int, _ failure: Failure) { (self.nth, self.failure) = (nth, failure) }

  /// Whether the call came that was to fail.
  var hasFailed: Bool { count.load(ordering: .relaxed) >= nth }
  /// The call that failed.
  var failed: String { last.withLock { $0 } }

  private func isTurn(_ name: String) -> Bool {
    let number = count.add(1, ordering: .relaxed).newValue
    guard number == nth || nth == 0 else { return false }
    last.withLock { $0 = name }
    return true
  }

  private func check(_ name: String) throws(SystemError) {
    if isTurn(name), case .error(let code) = failure { throw SystemError(code) }
  }

  var calls: SystemCalls {
    let real = SystemCalls.real
    var calls = real
    calls.open = { name, flags, mode throws(SystemError) in
      try self.check("open")
      return try real.open(name, flags, mode)
    }
    calls.close = { descriptor throws(SystemError) in
      // The descriptor is gone also when the call fails.
      try real.close(descriptor)
      try self.check("close")
    }
    calls.read = { descriptor, buffer throws(SystemError) in
      guard self.isTurn("read") else { return try real.read(descriptor, buffer) }
      if case .error(let code) = self.failure { throw SystemError(code) }
      return try real.read(descriptor, UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(1)))
    }
    calls.seek = { descriptor, byte throws(SystemError) in
      try self.check("seek")
      try real.seek(descriptor, byte)
    }
    calls.write = { descriptor, buffer throws(SystemError) in
      guard self.isTurn("write") else { return try real.write(descriptor, buffer) }
      if case .error(let code) = self.failure {
        // A full disk takes a part first.
        if code == ENOSPC {
          _ = try real.write(
            descriptor, UnsafeRawBufferPointer(rebasing: buffer.prefix(buffer.count / 2)))
        }
        throw SystemError(code)
      }
      return try real.write(descriptor, UnsafeRawBufferPointer(rebasing: buffer.prefix(1)))
    }
    calls.status = { name, follows throws(SystemError) in
      try self.check("status")
      return try real.status(name, follows)
    }
    calls.descriptorStatus = { descriptor throws(SystemError) in
      try self.check("descriptorStatus")
      return try real.descriptorStatus(descriptor)
    }
    calls.list = { name throws(SystemError) in
      try self.check("list")
      return try real.list(name)
    }
    calls.access = { name, use throws(SystemError) in
      try self.check("access")
      try real.access(name, use)
    }
    calls.lock = { descriptor throws(SystemError) in
      try self.check("lock")
      try real.lock(descriptor)
    }
    calls.truncate = { descriptor, size throws(SystemError) in
      try self.check("truncate")
      try real.truncate(descriptor, size)
    }
    calls.synchronize = { descriptor throws(SystemError) in
      try self.check("synchronize")
      try real.synchronize(descriptor)
    }
    calls.rename = { old, new throws(SystemError) in
      try self.check("rename")
      try real.rename(old, new)
    }
    return calls
  }
}

/// The system's calls; the bytes that are read are counted.
final class CountedReads: Sendable {
  private let count = Atomic(0)

  var bytes: Int { count.load(ordering: .relaxed) }

  var calls: SystemCalls {
    var calls = SystemCalls.real
    calls.read = { descriptor, buffer throws(SystemError) in
      let read = try SystemCalls.real.read(descriptor, buffer)
      self.count.add(read, ordering: .relaxed)
      return read
    }
    return calls
  }
}
