internal import Foundation

/// What tells that an open file is what it was.
///
/// A write gives a file another time of change. These times have the kernel's ticks as steps, so a
/// file that was changed within the last tick could change again unseen; see `age`.
struct FileIdentity {
  let device, inode: UInt64
  let byteCount, links: Int
  let modified, changed: Int

  init(_ status: stat) {
    (device, inode) = (UInt64(status.st_dev), UInt64(status.st_ino))
    (byteCount, links) = (Int(status.st_size), Int(status.st_nlink))
    modified = Self.nanoseconds(status.st_mtim)
    changed = Self.nanoseconds(status.st_ctim)
  }

  /// Whether this is the file, and no byte of it was written between the two looks.
  ///
  /// A name that was added or removed, as replacing a file does, changes a time too, but not that
  /// of writing.
  func isUnwritten(since earlier: FileIdentity) -> Bool {
    device == earlier.device && inode == earlier.inode && byteCount == earlier.byteCount
      && modified == earlier.modified && (changed == earlier.changed || links != earlier.links)
  }

  /// Two ticks of the slowest kernel clock (100 Hz), in nanoseconds.
  static let ticks = 20_000_000

  /// Nanoseconds since the last change.
  var age: Int {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Self.nanoseconds(now) - changed
  }

  private static func nanoseconds(_ time: timespec) -> Int {
    Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_nsec)
  }
}
