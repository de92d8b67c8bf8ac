import Foundation
import GRPCChannel
import Synchronization
import TestSupport
import Testing

/// Calls of every kind, ended in every way, while the server dies and channels close.
///
/// SPO_STRESS_SECONDS sets its least length, SPO_STRESS_SEED repeats its choices. Every call has to end exactly once, with its own answer or
/// a typed error that its circumstances allow.
@Suite(.timeLimit(.minutes(60))) struct StressTests {
  private static let environment = ProcessInfo.processInfo.environment
  private static let length = Duration.seconds(
    environment["SPO_STRESS_SECONDS"].flatMap { Double($0) } ?? 5)
  private static let seed =
    environment["SPO_STRESS_SEED"].flatMap { UInt64($0) } ?? .random(in: 0 ... .max)
  private static let callers = 64

  @Test func `Every call ends once, whatever happens to its server, channel and task`()
    async throws
  {
    let server = try await EchoServer()
    let seed = Self.seed
    print("stress: seed \(seed), \(Self.length)")
    let pool = ChannelPool(server)
    let tally = Tally()
    let deadline = ContinuousClock.now + Self.length
    try await withThrowingTaskGroup(of: Void.self) { group in
      for caller in 0..<Self.callers {
        group.addTask {
          var random = SeededRandom(seed &+ UInt64(caller))
          while ContinuousClock.now < deadline || !tally.hasEnough {
            await Self.call(pool, tally, &random)
          }
        }
      }
      group.addTask { try await Self.disturb(server, pool, seed, until: deadline) }
      try await group.waitForAll()
    }
    let outcome = tally.outcome
    print("stress: \(outcome)")
    #expect(outcome.started == outcome.ended)
    #expect(outcome.wrong.isEmpty, "\(outcome.wrong.prefix(10))")
    #expect(outcome.answered > 100)
    #expect(outcome.failed > 100)
    #expect(await pool.closeAll() == 0)
    await eventually("connections are left") { Descriptors.connections(to: server.port) == 0 }
  }

  /// Kills and restarts the server, and closes channels that are in use.
  private static func disturb(
    _ server: EchoServer, _ pool: ChannelPool, _ seed: UInt64,
    until deadline: ContinuousClock.Instant
  ) async throws {
    var random = SeededRandom(~seed)
    while ContinuousClock.now < deadline {
      try await Task.sleep(for: .milliseconds(Int.random(in: 20...300, using: &random)))
      if Int.random(in: 0..<3, using: &random) == 0 {
        server.kill()
        try await server.restart()
        pool.resetBackoff()
      } else {
        await pool.replaceOne(&random)
      }
    }
  }

  /// One call with a random method, deadline and cancellation.
  private static func call(_ pool: ChannelPool, _ tally: Tally, _ random: inout SeededRandom) async
  {
    let plan = Plan(&random)
    let channel = pool.any(&random)
    tally.start()
    let task = Task { try await plan.run(channel) }
    if let pause = plan.cancelAfter {
      if pause > .zero { try? await Task.sleep(for: pause) }
      task.cancel()
    }
    let result = await task.result
    tally.end(result, plan)
    // A server that is down refuses at once: its callers shall not spin.
    if case .failure = result { try? await Task.sleep(for: .milliseconds(1)) }
  }
}

/// How many calls began and how each ended.
private final class Tally: Sendable {
  struct Outcome: Sendable {
    var started = 0
    var ended = 0
    var answered = 0
    var failed = 0
    var kinds: [String: Int] = [:]
    var wrong: [String] = []
  }
  private let state = Mutex(Outcome())

  var outcome: Outcome { state.withLock { $0 } }

  /// A busy machine may run few calls in the time: the test goes on until both ends were met often.
  var hasEnough: Bool { state.withLock { $0.answered > 100 && $0.failed > 100 } }

  func start() { state.withLock { $0.started += 1 } }

  func end(_ result: Result<Void, any Error>, _ plan: Plan) {
    let fault = plan.fault(of: result)
    state.withLock { state in
      state.ended += 1
      if case .failure(let error) = result {
        state.failed += 1
        let kind = (error as? RPCError).map { $0.isLocal ? "local" : "\($0.code)" }
        state.kinds[kind ?? "\(type(of: error))", default: 0] += 1
      } else {
        state.answered += 1
      }
      if let fault { state.wrong.append(fault) }
    }
  }
}
