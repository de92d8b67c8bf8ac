internal import Foundation
internal import Triton

/// A name that `SystemRegion` gives to an object of this module: `PREFIX-PID-RANDOM`.
///
/// Only objects of such names are ever unlinked for another process: names that come from a server
/// are anybody's.
struct RegionName {
  let name: String
  /// The process that made the object.
  let owner: pid_t

  /// Everything that this module makes.
  static let prefixes = [RegionPool.prefix, probe]
  /// Of the region that a server has to write to before it is believed.
  static let probe = "spo-probe"

  /// nil for a name of any other form.
  init?(_ name: String) {
    guard let prefix = Self.prefixes.first(where: { name.hasPrefix($0 + "-") }) else { return nil }
    let parts = name.dropFirst(prefix.count + 1).split(
      separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, let owner = pid_t(parts[0]), owner > 0, "\(owner)" == parts[0],
      let random = UInt64(parts[1]), "\(random)" == parts[1]
    else { return nil }
    (self.name, self.owner) = (name, owner)
  }

  /// The POSIX name.
  var key: String { "/" + name }

  /// Whether nobody owns the object any more; one that is left is unlinked.
  ///
  /// A live owner is a process, and it holds a lock on its object (`flock`), in whatever namespace it
  /// is. An object of this process's own number that no region of it has is of an earlier process:
  /// those of containers often have the same number.
  func removeIfOrphan() -> Bool {
    let isDead = kill(owner, 0) != 0 && errno == ESRCH
    guard isDead || owner == getpid(), !SystemRegion.isLiving(key) else { return false }
    let descriptor = shm_open(key, O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0)
    guard descriptor >= 0 else { return errno == ENOENT }
    defer { Foundation.close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      status.st_uid == geteuid(), flock(descriptor, LOCK_EX | LOCK_NB) == 0
    else { return false }
    return shm_unlink(key) == 0
  }
}
