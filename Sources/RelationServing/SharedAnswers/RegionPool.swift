internal import Logging
internal import Synchronization
internal import Triton

/// Registered regions for answers, made as they are needed and used again.
///
/// `close` unregisters them. A pool that is let go without it does so a little later, and what a
/// process that ended has left is found by the next one on this machine.
final class RegionPool: Sendable {
  static let prefix = "spo-answer"
  /// How long `close` waits for a server that still uses regions.
  private static let closePatience = Duration.seconds(10)
  private let server: Server
  private let logger: Logger
  private let state = Mutex(State())

  /// What a pool asks of the server.
  struct Server: Sendable {
    var register: @Sendable (SystemRegion) async throws -> Void
    /// Returns once no request uses the region any more.
    var unregister: @Sendable (SystemRegion) async throws -> Void

    init(
      register: @escaping @Sendable (SystemRegion) async throws -> Void,
      unregister: @escaping @Sendable (SystemRegion) async throws -> Void
    ) {
      (self.register, self.unregister) = (register, unregister)
    }

    init(_ client: TritonClient) {
      self.init {
        try await client.registerSystemSharedMemory(
          $0.name, key: $0.key, byteCount: $0.byteCount)
      } unregister: {
        try await client.unregisterWhenFree($0.name)
      }
    }
  }

  private struct State {
    var free: [SystemRegion] = []
    var all: [SystemRegion] = []
    /// Being unregistered, by name.
    var leaving: [String: Task<Void, Never>] = [:]
  }

  init(_ server: Server, logger: Logger) { (self.server, self.logger) = (server, logger) }

  deinit {
    let regions = state.withLock { $0.all }
    // Nothing is left to wait for them: the engine was let go without being closed.
    for region in regions { Self.unregistration(of: region, server, logger, whenDone: {}) }
  }

  /// A region that is at least so long and nobody else's until it is given back.
  ///
  /// - Throws: `TritonError`: of class `sharedMemory` when this machine has no room for it.
  func take(_ byteCount: Int) async throws -> PooledRegion {
    if let found = takeFree(byteCount) { return PooledRegion(region: found, pool: self) }
    dropFree()
    let region = try SystemRegion(byteCount: Self.rounded(byteCount), name: Self.prefix)
    do {
      // Not cancelled with the caller: the server must not keep what nobody unregisters.
      try await Task { [server] in try await server.register(region) }.value
    } catch {
      // A lost answer does not undo a registration.
      state.withLock { leave(region, &$0) }
      throw error
    }
    state.withLock { $0.all.append(region) }
    return PooledRegion(region: region, pool: self)
  }

  /// The shortest of those that lie unused and are long enough.
  private func takeFree(_ byteCount: Int) -> SystemRegion? {
    state.withLock { state in
      let fitting = state.free.indices.filter { state.free[$0].byteCount >= byteCount }
      let place = fitting.min { state.free[$0].byteCount < state.free[$1].byteCount }
      return place.map { state.free.remove(at: $0) }
    }
  }

  /// Takes a region back, unless the pool was closed meanwhile.
  func giveBack(_ region: SystemRegion) {
    state.withLock { state in
      if state.all.contains(where: { $0 === region }) { state.free.append(region) }
    }
  }

  /// Unregisters a region that is not used again; `close` waits for it.
  func abandon(_ region: SystemRegion) {
    state.withLock { state in
      // Those of a pool that was closed meanwhile are leaving already.
      guard let place = state.all.firstIndex(where: { $0 === region }) else { return }
      leave(state.all.remove(at: place), &state)
    }
  }

  /// Makes room: those that lie unused are shorter than what is asked for.
  private func dropFree() {
    state.withLock { state in
      for region in state.free {
        state.all.removeAll { $0 === region }
        leave(region, &state)
      }
      state.free = []
    }
  }

  /// Unregisters all; answers that still lie in a region stay readable.
  ///
  /// Not cancelled with the caller. What a server does not give back in time is logged; the next
  /// client on this machine finds it.
  func close() async {
    let leaving = state.withLock { state in
      for region in state.all { leave(region, &state) }
      (state.all, state.free) = ([], [])
      return Array(state.leaving.values)
    }
    guard !leaving.isEmpty else { return }
    let alarm = Task {
      try await Task.sleep(for: Self.closePatience)
      for task in leaving { task.cancel() }
    }
    for task in leaving { await task.value }
    alarm.cancel()
  }

  private func leave(_ region: SystemRegion, _ state: inout State) {
    // The task can end only after the caller's lock has gone.
    state.leaving[region.name] = Self.unregistration(of: region, server, logger) { [weak self] in
      _ = self?.state.withLock { $0.leaving.removeValue(forKey: region.name) }
    }
  }

  @discardableResult
  private static func unregistration(
    of region: SystemRegion, _ server: Server, _ logger: Logger,
    whenDone: @escaping @Sendable () -> Void
  ) -> Task<Void, Never> {
    Task {
      do {
        try await server.unregister(region)
      } catch {
        logger.warning(
          "the server may keep a shared memory region until another client finds it",
          metadata: ["region": "\(region.name)", "error": "\(error)"])
      }
      whenDone()
    }
  }

  /// The next power of two of MiB, so that answers of like sizes share regions.
  private static func rounded(_ byteCount: Int) -> Int {
    var size = 1 << 20
    while size < byteCount, size < 1 << 40 { size <<= 1 }
    return max(size, byteCount)
  }
}
