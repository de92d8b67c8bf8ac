internal import GRPCChannel
internal import Synchronization
internal import Triton

/// Registered regions for answers, made as they are needed and used again.
///
/// `close` unregisters them. A pool that is let go without it does so a little later, and what a
/// process that ended has left is found by the next one on this machine.
final class RegionPool: Sendable {
  static let prefix = "spo-answer"
  private let client: TritonClient
  private let state = Mutex(State())

  private struct State {
    var free: [SystemRegion] = []
    var all: [SystemRegion] = []
  }

  init(client: TritonClient) { self.client = client }

  deinit {
    let (client, regions) = (client, state.withLock { $0.all })
    guard !regions.isEmpty else { return }
    Task { for region in regions { try? await client.unregisterWhenFree(region.name) } }
  }

  /// A region that is at least so long and nobody else's until it is given back.
  ///
  /// - Throws: `TritonError`: of class `sharedMemory` when this machine has no room for it.
  func take(_ byteCount: Int) async throws -> PooledRegion {
    let found = state.withLock { state -> SystemRegion? in
      guard
        let place = state.free.indices.filter({ state.free[$0].byteCount >= byteCount })
          .min(by: { state.free[$0].byteCount < state.free[$1].byteCount })
      else { return nil }
      return state.free.remove(at: place)
    }
    if let found { return PooledRegion(region: found, pool: self) }
    try await dropFree()
    let region = try SystemRegion(byteCount: Self.rounded(byteCount), name: Self.prefix)
    // Not cancelled with the caller: the server must not keep what nobody unregisters.
    try await Task {
      try await client.registerSystemSharedMemory(
        region.name, key: region.key, byteCount: region.byteCount)
    }.value
    state.withLock { $0.all.append(region) }
    return PooledRegion(region: region, pool: self)
  }

  /// Takes a region back, unless the pool was closed meanwhile.
  fileprivate func giveBack(_ region: SystemRegion) {
    state.withLock { state in
      if state.all.contains(where: { $0 === region }) { state.free.append(region) }
    }
  }

  fileprivate func abandon(_ region: SystemRegion) {
    state.withLock { $0.all.removeAll { $0 === region } }
    Task { try? await client.unregisterWhenFree(region.name) }
  }

  /// Makes room: those that lie unused are shorter than what is asked for.
  private func dropFree() async throws {
    let dropped = state.withLock { state in
      defer { state.free = [] }
      let dropped = state.free
      state.all.removeAll { region in dropped.contains { $0 === region } }
      return dropped
    }
    try await unregister(dropped)
  }

  /// Unregisters all; answers that still lie in a region stay readable.
  func close() async throws {
    try await unregister(
      state.withLock { state in
        defer { state = State() }
        return state.all
      })
  }

  private func unregister(_ regions: [SystemRegion]) async throws {
    try await Task {
      for region in regions { try await client.unregisterWhenFree(region.name) }
    }.value
  }

  /// The next power of two of MiB, so that answers of like sizes share regions.
  private static func rounded(_ byteCount: Int) -> Int {
    var size = 1 << 20
    while size < byteCount { size <<= 1 }
    return size
  }
}

/// A region of a pool, given back with the last reference.
final class PooledRegion: Sendable {
  private let region: SystemRegion
  private let pool: RegionPool
  private let isAbandoned = Mutex(false)

  init(region: SystemRegion, pool: RegionPool) { (self.region, self.pool) = (region, pool) }

  deinit {
    if isAbandoned.withLock({ $0 }) { pool.abandon(region) } else { pool.giveBack(region) }
  }

  /// Never to be used again: the server may still write into it for a request that failed here.
  func abandon() { isAbandoned.withLock { $0 = true } }

  /// Its part from `offset` as a request names it.
  func slice(_ offset: Int, _ byteCount: Int) -> SharedMemorySlice {
    SharedMemorySlice(region: region.name, offset: offset, byteCount: byteCount)
  }

  /// The bytes of that part where they lie. Not while the server may be writing them.
  func bytes(_ offset: Int, _ byteCount: Int) -> TensorBytes {
    let all = ReceivedMessage(lending: region.bytes, keeping: self)
    return TensorBytes(all, offset..<offset + byteCount)
  }
}
