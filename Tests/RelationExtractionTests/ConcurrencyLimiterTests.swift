import Inference
@testable import Limiting
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct ConcurrencyLimiterTests {
  /// The most pieces, and the most cost, that were inside at once.
  private final class Peak: Sendable {
    private let state = Mutex((count: 0, cost: 0, mostCount: 0, mostCost: 0))

    func inside(_ cost: Int, _ body: () async -> Void) async {
      state.withLock { state in
        state.count += 1
        state.cost += cost
        state.mostCount = max(state.mostCount, state.count)
        if state.count > 1 { state.mostCost = max(state.mostCost, state.cost) }
      }
      await body()
      state.withLock { state in
        state.count -= 1
        state.cost -= cost
      }
    }

    var most: (count: Int, cost: Int) { state.withLock { ($0.mostCount, $0.mostCost) } }
  }

  @Test func `Neither count nor cost is passed, and all get in`() async throws {
    let limiter = ConcurrencyLimiter(limit: 4, costLimit: 10)
    let peak = Peak()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for piece in 0..<200 {
        let cost = piece % 13
        group.addTask {
          try await limiter.withPermit(cost: cost) {
            await peak.inside(cost) { await Task.yield() }
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(peak.most.count <= 4 && peak.most.cost <= 10)
    #expect(limiter.active == 0)
  }

  @Test func `Who waits and is cancelled goes, and the others go on`() async throws {
    let limiter = ConcurrencyLimiter(limit: 1)
    for _ in 0..<50 {
      let holder = Task {
        try await limiter.withPermit { try await Task.sleep(for: .milliseconds(2)) }
      }
      let waiters = (0..<6).map { _ in Task { try await limiter.withPermit { await Task.yield() } }
      }
      for waiter in waiters.prefix(3) { waiter.cancel() }
      try await holder.value
      for waiter in waiters.prefix(3) {
        if case .failure(let error) = await waiter.result { #expect(error is CancellationError) }
      }
      for waiter in waiters.dropFirst(3) { try await waiter.value }
    }
    #expect(limiter.active == 0)
  }

  @Test func `A raised limit lets waiters in at once`() async throws {
    let limiter = ConcurrencyLimiter(limit: 1)
    let (inside, entered) = AsyncStream.makeStream(of: Void.self)
    let pieces = (0..<3).map { _ in
      Task {
        try await limiter.withPermit {
          entered.yield()
          try await Task.sleep(for: .seconds(60))
        }
      }
    }
    var count = 0
    for await _ in inside {
      count += 1
      if count == 1 { limiter.limit = 3 }
      if count == 3 { break }
    }
    #expect(limiter.active == 3)
    for piece in pieces { piece.cancel() }
    for piece in pieces { _ = await piece.result }
    #expect(limiter.active == 0)
  }

  @Test func `Who comes later does not pass one who waits, though there would be room`()
    async throws
  {
    let limiter = ConcurrencyLimiter(limit: 4, costLimit: 10)
    let (order, came) = AsyncStream.makeStream(of: Int.self)
    let (leave, left) = AsyncStream.makeStream(of: Void.self)
    let (inside, entered) = AsyncStream.makeStream(of: Void.self)
    let holder = Task {
      try await limiter.withPermit(cost: 5) {
        entered.yield()
        for await _ in leave { break }
      }
    }
    for await _ in inside { break }
    var waiters: [Task<Void, any Error>] = []
    for (place, cost) in [8, 3, 1, 7].enumerated() {
      waiters.append(
        Task { _ = try await limiter.withPermit(cost: cost) { came.yield(place) } })
      while limiter.waiting <= place {
        try Task.checkCancellation()
        await Task.yield()
      }
    }
    left.yield()
    for waiter in waiters { try await waiter.value }
    try await holder.value
    came.finish()
    var places: [Int] = []
    for await place in order { places.append(place) }
    #expect(places.first == 0 && Set(places) == [0, 1, 2, 3])
  }

  @Test func `A cost beyond every number goes in alone`() async throws {
    let limiter = ConcurrencyLimiter(limit: 4, costLimit: 10)
    let peak = Peak()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for cost in [Int.max, 3, .max, 4] {
        group.addTask {
          try await limiter.withPermit(cost: cost) {
            await peak.inside(cost == .max ? 11 : cost) { await Task.yield() }
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(peak.most.cost <= 10)
  }
}
