package import DocumentIO
internal import Foundation
internal import Synchronization

/// The system's calls, of which the n-th fails, or does only a part.
package final class FailingSystem: Sendable {
  package enum Failure: Sendable {
    case error(Int32)
    /// Reads and writes take one byte; other calls succeed.
    case short
    /// As if the program had ended there: a write does half of its work, and nothing after it does
    /// any.
    case death
  }

  private let count = Atomic(0)
  private let nth: Int
  private let failure: Failure
  private let last: Mutex<String> = Mutex("")

  /// - Parameter nth: from 1; every call when it is 0.
  package init(nth: Int, _ failure: Failure) { (self.nth, self.failure) = (nth, failure) }

  /// Whether the call came that was to fail.
  package var hasFailed: Bool { count.load(ordering: .relaxed) >= nth }
  /// The call that failed.
  package var failed: String { last.withLock { $0 } }

  private func isTurn(_ name: String) -> Bool {
    let number = count.add(1, ordering: .relaxed).newValue
    var isTurn = number == nth || nth == 0
    if case .death = failure { isTurn = number >= nth }
    guard isTurn else { return false }
    last.withLock { $0 = name }
    return true
  }

  /// Whether the call that is the program's last is under way.
  private var isFirstDeath: Bool {
    if case .death = failure { count.load(ordering: .relaxed) == nth } else { false }
  }

  private func check(_ name: String) throws(SystemError) {
    guard isTurn(name) else { return }
    switch failure {
    case .error(let code): throw SystemError(code)
    case .death: throw SystemError(EIO)
    case .short: return
    }
  }

  package var calls: SystemCalls {
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
      if let code = self.failure.code { throw SystemError(code) }
      return try real.read(descriptor, UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(1)))
    }
    calls.seek = { descriptor, byte throws(SystemError) in
      try self.check("seek")
      try real.seek(descriptor, byte)
    }
    calls.write = { descriptor, buffer throws(SystemError) in
      guard self.isTurn("write") else { return try real.write(descriptor, buffer) }
      if let code = self.failure.code {
        // A full disk takes a part first, as one does whose program dies.
        if code == ENOSPC || self.isFirstDeath {
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
    calls.unlink = { name throws(SystemError) in
      try self.check("unlink")
      try real.unlink(name)
    }
    calls.rename = { old, new throws(SystemError) in
      try self.check("rename")
      try real.rename(old, new)
    }
    return calls
  }
}

extension FailingSystem.Failure {
  /// What errno tells.
  fileprivate var code: Int32? {
    switch self {
    case .error(let code): code
    case .death: EIO
    case .short: nil
    }
  }
}
