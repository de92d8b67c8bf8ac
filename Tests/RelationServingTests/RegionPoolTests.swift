import Foundation
import InMemoryLogging
import Logging
import Synchronization
import Testing

@testable import RelationServing
@testable import Triton

/// Regions of a pool, without a server: what would be asked of it is noted.
@Suite(.timeLimit(.minutes(1))) struct RegionPoolTests {
  private struct Refused: Error {}

  /// What the pool has told its server.
  private final class Desk: Sendable {
    private let state = Mutex((registered: [String](), unregistered: [String]()))
    var registered: [String] { state.withLock { $0.registered } }
    var unregistered: [String] { state.withLock { $0.unregistered } }

    func register(_ name: String) { state.withLock { $0.registered.append(name) } }
    func unregister(_ name: String) { state.withLock { $0.unregistered.append(name) } }
  }

  private let desk = Desk()
  private let log = InMemoryLogHandler()

  private func pool(
    register: @escaping @Sendable () async throws -> Void = {},
    unregister: @escaping @Sendable () async throws -> Void = {}
  ) -> RegionPool {
    let desk = desk
    let server = RegionPool.Server {
      desk.register($0.name)
      try await register()
    } unregister: {
      try await unregister()
      desk.unregister($0.name)
    }
    return RegionPool(server, logger: Logger(label: "test") { _ in log })
  }

  private static func exists(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: "/dev/shm/" + name)
  }

  @Test func `A region that was given back is used again, the shortest that is long enough`()
    async throws
  {
    let pool = pool()
    var (small, large) = (
      try await pool.take(10) as PooledRegion?, try await pool.take(3 << 20) as PooledRegion?
    )
    let names = [small?.name, large?.name]
    (small, large) = (nil, nil)
    #expect(try await pool.take(20).name == names[0])
    #expect(try await pool.take(2 << 20).name == names[1])
    await pool.close()
    #expect(desk.registered.count == 2 && Set(desk.unregistered) == Set(desk.registered))
  }

  @Test func `A region that was abandoned is given to nobody, and unregistered`() async throws {
    let pool = pool()
    var name = ""
    do {
      let region = try await pool.take(10)
      name = region.name
      region.abandon()
    }
    for _ in 0..<3 { #expect(try await pool.take(10).name != name) }
    await pool.close()
    #expect(desk.unregistered.contains(name) && !Self.exists(name))
  }

  @Test func `Bug: a region whose registration failed was left to nobody`() async throws {
    let pool = pool(register: { throw Refused() })
    await #expect(throws: Refused.self) { _ = try await pool.take(10) }
    await pool.close()
    #expect(desk.unregistered == desk.registered && desk.registered.count == 1)
    #expect(!Self.exists(desk.registered[0]))
  }

  @Test func `Bug: closing did not wait for what was being unregistered, nor say what remained`()
    async throws
  {
    let (answers, answer) = AsyncStream.makeStream(of: Void.self)
    let pool = pool(unregister: {
      for await _ in answers { break }
      throw Refused()
    })
    do { try await pool.take(10).abandon() }
    let closing = Task { await pool.close() }
    #expect(log.entries.isEmpty)
    answer.yield()
    await closing.value
    #expect(log.entries.map(\.level) == [.warning])
    #expect(log.entries.first?.metadata["region"] == "\(desk.registered[0])")
    #expect(!Self.exists(desk.registered[0]))
  }

  @Test func `A region that is in use when the pool closes is not used again afterwards`()
    async throws
  {
    let pool = pool()
    var region = try await pool.take(10) as PooledRegion?
    let name = region?.name
    await pool.close()
    region = nil
    #expect(try await pool.take(10).name != name)
    #expect(desk.unregistered == [name])
    await pool.close()
  }

  @Test func `A taker that is cancelled leaves nothing registered`() async throws {
    let pool = pool(register: { withUnsafeCurrentTask { $0?.cancel() } })
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try await pool.take(10).name
    }
    _ = await task.result
    await pool.close()
    #expect(desk.registered.count == 1 && desk.unregistered == desk.registered)
  }

  /// The number of a process that has ended.
  private static func deadOwner() throws -> pid_t {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/true")
    try process.run()
    process.waitUntilExit()
    return process.processIdentifier
  }

  @Test func `Bug: memory of ended processes that no server knew stayed for ever`() throws {
    let (dead, number) = (try Self.deadOwner(), UInt64.random(in: 0 ... .max))
    let left = ["spo-answer-\(dead)-\(number)", "spo-probe-\(dead)-\(number)"]
    let others = [
      "spo-answer-\(getppid())-\(number)", "spo-other-\(dead)-\(number)",
      "spo-answer-\(dead)-\(number)0000", "spo-answer-0\(dead)-\(number)",
      "spo-answer-\(dead)-\(number)-1",
    ]
    for name in left + others {
      let descriptor = shm_open("/" + name, O_CREAT | O_RDWR, 0o600)  // of no bytes
      close(descriptor)
    }
    defer { for name in left + others { shm_unlink("/" + name) } }
    let mine = try SystemRegion(byteCount: 8, name: RegionPool.prefix)
    RegionOrphans.sweep()
    #expect(left.filter(Self.exists).isEmpty)
    #expect(others.filter(Self.exists) == others)
    #expect(Self.exists(mine.name))
  }

  @Test func `Bug: a sweep took the region that another task of the process was making`()
    async throws
  {
    let isDone = Mutex(false)
    // A thread of its own: the two must really run beside each other.
    let sweeper = Thread {
      while !isDone.withLock({ $0 }) { RegionOrphans.sweep() }
    }
    sweeper.start()
    for _ in 0..<20_000 {
      let region = try SystemRegion(byteCount: 8, name: RegionPool.prefix)
      #expect(Self.exists(region.name))
    }
    isDone.withLock { $0 = true }
  }
}
