internal import DocumentIO
internal import Foundation

/// All bytes of a small file, such as a manifest.
func wholeFile(_ name: FileName, _ system: SystemCalls) throws(SystemError) -> [UInt8] {
  let system = system.patient
  let descriptor = try system.open(name, O_RDONLY | O_CLOEXEC, 0)
  defer { try? system.close(descriptor) }
  return try rest(of: descriptor, system)
}

/// All bytes of an open file from where it stands.
func rest(of descriptor: Int32, _ system: SystemCalls) throws(SystemError) -> [UInt8] {
  var bytes: [UInt8] = []
  let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
  defer { room.deallocate() }
  while true {
    let count = try system.read(descriptor, room)
    guard count > 0 else { return bytes }
    bytes += room.prefix(count)
  }
}

extension SystemCalls {
  /// Writes all bytes.
  func writeAll(_ bytes: [UInt8], to descriptor: Int32) throws(SystemError) {
    var done = 0
    while done < bytes.count {
      var (count, failure) = (0, SystemError?.none)
      bytes.withUnsafeBytes { all in
        let rest = UnsafeRawBufferPointer(rebasing: all[done...])
        do throws(SystemError) { count = try write(descriptor, rest) } catch { failure = error }
      }
      if let failure { throw failure }
      // A device that takes nothing, and says nothing, would be asked for ever.
      guard count > 0 else { throw SystemError(ENOSPC) }
      done += count
    }
  }
}
