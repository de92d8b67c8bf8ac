import Synchronization
import Testing

@testable import RelationServing
@testable import Triton

/// What is in flight at once, and how long is waited. No server is asked: each request ends while
/// it is made.
@Suite(.timeLimit(.minutes(1))) struct DispatcherTests {
  private struct Made: Error {}

  private func dispatcher(
    _ change: (inout TritonEngine.Configuration) -> Void = { _ in }, instances: Int = 4
  ) throws -> Dispatcher {
    var configuration = TritonEngine.Configuration()
    change(&configuration)
    return Dispatcher(try TritonClient("127.0.0.1:1"), configuration, instances: instances)
  }

  /// What is in flight now, and was at most.
  private final class Peak: Sendable {
    private let state = Mutex((requests: 0, bytes: 0, mostRequests: 0, mostBytes: 0))
    var most: (requests: Int, bytes: Int) { state.withLock { ($0.mostRequests, $0.mostBytes) } }

    func change(_ requests: Int, _ bytes: Int) {
      state.withLock { state in
        state.requests += requests
        state.bytes += bytes
        state.mostRequests = max(state.mostRequests, state.requests)
        state.mostBytes = max(state.mostBytes, state.bytes)
      }
    }
  }

  /// 60 requests of 10...70 bytes.
  private func peak(of dispatcher: Dispatcher) async -> (requests: Int, bytes: Int) {
    let peak = Peak()
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<60 {
        let bytes = 10 + number % 5 * 15
        group.addTask {
          await #expect(throws: Made.self) {
            try await dispatcher.send(.init(model: "m", tokens: 1), bytes: bytes) { _ in
              peak.change(1, bytes)
              for _ in 0..<20 { await Task.yield() }
              peak.change(-1, -bytes)
              throw Made()
            } read: { _ in
            }
          }
        }
      }
    }
    return peak.most
  }

  @Test func `The bytes of answers in flight stay within their bound`() async throws {
    let most = await peak(of: try dispatcher { $0.memory = 100 })
    #expect(most.bytes <= 100 && most.bytes > 70, "\(most)")
  }

  @Test func `No more requests are in flight than the limit`() async throws {
    #expect(await peak(of: try dispatcher { $0.concurrency = 3 }).requests == 3)
  }

  @Test(arguments: [(1, 1...16), (3, 3...48), (64, 64...1_024), (.max, 1_024...1_024), (0, 1...16)])
  func `Instances that a server tells are no reason for more than 1,024 requests in flight`(
    _ instances: Int, _ expected: ClosedRange<Int>
  ) {
    #expect(Dispatcher.bounds(nil, instances) == expected)
    #expect(Dispatcher.bounds(7, instances) == 7...7)
  }

  @Test func `Patience counts from the first failure, its pauses grow to two seconds`() {
    let begin = ContinuousClock.now
    var patience = Patience(.seconds(60))
    var pauses: [Duration] = []
    for second in 0..<12 {
      if let pause = patience.next(begin + .seconds(second)) { pauses.append(pause) }
    }
    #expect(pauses.count == 12)
    #expect(pauses[0] <= .milliseconds(20) && pauses[0] >= .milliseconds(10))
    #expect(pauses.allSatisfy { $0 <= .seconds(2) } && pauses[11] >= .seconds(1))
    let last = patience.next(begin + .seconds(60))
    var none = Patience(.zero)
    let first = none.next(begin)
    #expect(last == nil && first == nil)
  }

  @Test func `Products and sums of sizes stop at the largest number`() {
    #expect(saturatingProduct(3, 4, 5) == 60)
    #expect(saturatingProduct(1 << 40, 1 << 40) == .max)
    #expect(saturatingProduct(1 << 40, 1 << 40, 0) == 0)
    #expect(saturatingSum(.max, 1) == .max && saturatingSum(1, 2) == 3)
  }
}
