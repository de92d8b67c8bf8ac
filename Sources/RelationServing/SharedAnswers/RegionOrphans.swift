internal import Foundation
internal import Triton

/// Objects and registrations that processes left behind which were killed.
enum RegionOrphans {
  /// Where Linux keeps POSIX objects.
  private static let directory = "/dev/shm"

  /// Unlinks what ended processes of this machine left, registered at a server or not.
  static func sweep() {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    for name in names { _ = RegionName(name)?.removeIfOrphan() }
  }
}

extension TritonClient {
  /// Unregisters regions whose owners ended without doing so: until then the server keeps their
  /// memory.
  ///
  /// Call it only when the server has written to a region of this process, so that both see the
  /// same objects. A region counts only when its name is of our own form, its key is that name, and
  /// its owner is gone; see `RegionName`.
  /// - Returns: the names that were unregistered.
  func unregisterOrphans() async throws -> [String] {
    var gone: [String] = []
    for region in try await systemSharedMemory() {
      guard let name = RegionName(region.name), region.key == name.key, name.removeIfOrphan() else {
        continue
      }
      do {
        try await unregisterSystemSharedMemory(region.name)
        gone.append(region.name)
      } catch let error as TritonError where error.code == .regionInUse {
        continue  // a request that outlived its client: the next client finds it again
      }
    }
    return gone
  }
}
