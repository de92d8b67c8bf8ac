import GRPCChannel
import Testing

@testable import Triton

/// Retries against a port where nobody listens: each attempt is refused at once.
@Suite(.timeLimit(.minutes(1))) struct RetryTests {
  private func configuration(attempts: Int, budget: Double = 20) -> TritonClient.Configuration {
    var configuration = TritonClient.Configuration()
    configuration.retry.attempts = attempts
    configuration.retry.budget = budget
    configuration.retry.firstPause = .milliseconds(1)
    configuration.retry.longestPause = .milliseconds(2)
    return configuration
  }

  private let request = InferRequest("m", inputs: [])

  @Test func `Pauses double up to the longest`() {
    var policy = RetryPolicy()
    (policy.firstPause, policy.longestPause) = (.milliseconds(50), .seconds(2))
    #expect(policy.ceiling(beforeAttempt: 2) == .milliseconds(50))
    #expect(policy.ceiling(beforeAttempt: 3) == .milliseconds(100))
    #expect(policy.ceiling(beforeAttempt: 7) == .milliseconds(1_600))
    #expect(policy.ceiling(beforeAttempt: 8) == .seconds(2))
    #expect(policy.ceiling(beforeAttempt: 1_000_000) == .seconds(2))
  }

  @Test func `A budget is spent by retries and filled by calls that end well`() {
    var policy = RetryPolicy()
    (policy.budget, policy.budgetPerCall) = (2, 0.5)
    var budget = RetryBudget(policy)
    func spent(_ times: Int) -> [Bool] { (0..<times).map { _ in budget.spend() } }
    let first = spent(3)
    #expect(first == [true, true, false])
    budget.earn()
    let half = spent(1)
    #expect(half == [false])
    budget.earn()
    let whole = spent(1)
    #expect(whole == [true])
    for _ in 0..<100 { budget.earn() }
    let full = spent(3)
    #expect(full == [true, true, false])
  }

  @Test func `A refused connection is tried as often as the policy says`() async throws {
    for attempts in [1, 2, 4] {
      let client = try TritonClient(
        "127.0.0.1:1", configuration: configuration(attempts: attempts))
      let error = await #expect(throws: TritonError.self) { try await client.infer(request) }
      #expect(error?.code == .connection)
      #expect(client.statistics.retries == attempts - 1)
      #expect(client.statistics.failed == [.connection: 1])
      #expect(client.callsInFlight == 0)
      await client.close()
    }
  }

  @Test func `One call may ask for other attempts than the client`() async throws {
    let client = try TritonClient("127.0.0.1:1", configuration: configuration(attempts: 4))
    let options = CallOptions(attempts: 1)
    await #expect(throws: TritonError.self) { try await client.isLive(options: options) }
    #expect(client.statistics.retries == 0)
    await client.close()
  }

  @Test func `An empty budget ends retries and is counted`() async throws {
    let client = try TritonClient(
      "127.0.0.1:1", configuration: configuration(attempts: 4, budget: 4))
    for _ in 0..<3 {
      await #expect(throws: TritonError.self) { try await client.infer(request) }
    }
    #expect(client.statistics.retries == 4)
    #expect(client.statistics.retriesRefused == 2)
    await client.close()
  }

  @Test("A request of a sequence is sent again only while it never left")
  func sequence() async throws {
    let client = try TritonClient("127.0.0.1:1", configuration: configuration(attempts: 4))
    var part = request
    part.sequence = .init(id: .number(1), starts: true)
    let sent = part
    await #expect(throws: TritonError.self) { try await client.infer(sent) }
    #expect(client.statistics.retries == 3)
    await client.close()
  }

  @Test func `No retry begins that would end after the deadline`() async throws {
    var configuration = configuration(attempts: 1_000_000, budget: 1_000_000)
    configuration.timeout = .seconds(2)
    let client = try TritonClient("127.0.0.1:1", configuration: configuration)
    let start = ContinuousClock.now
    let error = await #expect(throws: TritonError.self) { try await client.infer(request) }
    #expect([.connection, .deadline].contains(error?.code))
    #expect(ContinuousClock.now - start < .seconds(20))
    #expect(client.statistics.retries < 100_000)
    await client.close()
  }

  @Test func `A cancelled task stops retrying`() async throws {
    let client = try TritonClient(
      "127.0.0.1:1", configuration: configuration(attempts: 1_000_000, budget: 1_000_000))
    let task = Task { [request] in try await client.infer(request) }
    while client.statistics.retries < 3 { await Task.yield() }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(client.callsInFlight == 0)
    await client.close()
  }

  @Test func `A closed client refuses calls as the caller's fault`() async throws {
    let client = try TritonClient("127.0.0.1:1", configuration: configuration(attempts: 4))
    await client.close()
    let error = await #expect(throws: TritonError.self) { try await client.isReady() }
    #expect(error?.code == .invalidRequest)
    #expect(client.statistics.retries == 0)
  }

  @Test func `Texts that C would cut at a NUL are refused`() async throws {
    let client = try TritonClient("127.0.0.1:1", configuration: configuration(attempts: 1))
    let error = await #expect(throws: TritonError.self) { try await client.isModelReady("a\0b") }
    #expect(error?.code == .invalidRequest)
    await client.close()
  }
}
