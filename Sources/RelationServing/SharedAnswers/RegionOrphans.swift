internal import Foundation
internal import Triton

extension TritonClient {
  /// Unregisters regions whose owners ended without doing so: until then the server keeps their
  /// memory.
  ///
  /// Call it only when the server has mapped a region of this process, so that both see the same
  /// objects. A live owner holds a lock on its object (`flock`), whatever namespace its process is
  /// in.
  /// - Parameter prefix: only regions whose names begin with it.
  /// - Returns: the names that were unregistered.
  func unregisterOrphans(_ prefix: String) async throws -> [String] {
    var gone: [String] = []
    for region in try await systemSharedMemory() where region.name.hasPrefix(prefix) {
      guard Self.isOrphan(region.key) else { continue }
      do {
        try await unregisterSystemSharedMemory(region.name)
        gone.append(region.name)
      } catch let error as TritonError where error.code == .regionInUse {
        continue  // a request that outlived its client: the next client finds it again
      }
    }
    return gone
  }

  /// Whether the object is gone or nobody holds it; one that nobody holds is unlinked.
  private static func isOrphan(_ key: String) -> Bool {
    let descriptor = shm_open(key, O_RDWR | O_CLOEXEC, 0)
    guard descriptor >= 0 else { return errno == ENOENT }
    defer { Foundation.close(descriptor) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return false }
    shm_unlink(key)
    return true
  }
}
