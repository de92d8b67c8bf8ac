internal import Foundation

/// Memory of this process alone, 64-byte aligned, given back with the object.
///
/// Sendable since it is written before it is shared, by whoever made it, and only read then.
package final class AlignedMemory: Sendable {
  /// The number of bytes.
  package let byteCount: Int
  // The address is written once, in init; the memory behind it as the type's comment says.
  package nonisolated(unsafe) let base: UnsafeMutableRawPointer

  /// Memory with unspecified contents.
  package init(byteCount: Int) throws(AllocationError) {
    self.byteCount = byteCount
    base = try Self.allocate(byteCount)
  }

  deinit { free(base) }

  /// Memory that `free` gives back; at least one byte, so that there is an address.
  static func allocate(_ byteCount: Int) throws(AllocationError) -> UnsafeMutableRawPointer {
    var address: UnsafeMutableRawPointer?
    guard posix_memalign(&address, 64, max(byteCount, 1)) == 0, let address else {
      throw AllocationError(byteCount: byteCount)
    }
    return address
  }
}

/// The system has no memory of this size for the process.
public struct AllocationError: Error, Hashable, CustomStringConvertible {
  /// What was asked for.
  public let byteCount: Int

  /// The size, and what helps.
  public var description: String {
    "no memory for \(byteCount) bytes; raise the limit of the process (ulimit -v), or ask for "
      + "fewer threads and smaller batches"
  }
}
