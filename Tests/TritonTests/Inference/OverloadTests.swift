import Testing
import Triton

/// A model that runs one request and lets two wait.
@Suite(.serialized, .timeLimit(.minutes(3))) struct OverloadTests {
  private static let kind = ServerKind.own("overload", ["slow"])

  private static func sleep(_ milliseconds: Int32) -> InferRequest {
    InferRequest("slow", inputs: [InferInput("MS", shape: [1, 1], [milliseconds])])
  }

  @Test func `A full queue is an overload, and retries are paid from the budget`() async throws {
    var configuration = TritonClient.Configuration.once
    configuration.retry = RetryPolicy()
    configuration.retry.attempts = 2
    configuration.retry.budget = 3
    configuration.retry.budgetPerCall = 0
    let client = try await Servers.get(Self.kind).client(configuration)
    let failures = await withTaskGroup(of: TritonError?.self) { group in
      for _ in 0..<16 {
        group.addTask {
          do {
            _ = try await client.infer(Self.sleep(300))
            return nil
          } catch { return error as? TritonError }
        }
      }
      return await group.reduce(into: [TritonError]()) { if let error = $1 { $0.append(error) } }
    }
    #expect(!failures.isEmpty && failures.count < 16)
    #expect(failures.allSatisfy { $0.code == .overload }, "\(failures.map(\.description))")
    #expect(failures.first?.description.contains("Exceeds maximum queue size") == true)
    #expect(client.statistics.retries == 3)
    #expect(client.statistics.retriesRefused > 0)
    #expect(client.statistics.failed[.overload] == failures.count)
  }

  @Test func `A request that waits too long in the queue is an overload`() async throws {
    let client = try await Servers.get(Self.kind).client()
    let running = Task { try await client.infer(Self.sleep(2_000)) }
    var impatient = Self.sleep(1)
    impatient.queueTimeout = .milliseconds(50)
    // Until the long request runs, the short one finds the model free and is answered.
    await expectFailure(.overload, saying: "Request timeout expired") {
      while true { _ = try await client.infer(impatient) }
    }
    _ = try await running.value
  }

  @Test func `An overload that passes is not seen by the caller`() async throws {
    var configuration = TritonClient.Configuration.once
    configuration.retry = RetryPolicy()
    configuration.retry.attempts = 40
    configuration.retry.budget = 400
    let client = try await Servers.get(Self.kind).client(configuration)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<8 { group.addTask { _ = try await client.infer(Self.sleep(20)) } }
      try await group.waitForAll()
    }
    #expect(client.statistics.succeeded >= 8)
  }
}
