import Foundation
import Inference
import Testing

@testable import RelationServing
@testable import Triton

/// A discovery says why it left a way out, and throws what may be over a moment later.
@Suite(.timeLimit(.minutes(1))) struct DiscoveryTests {
  /// One after the other they would take a minute each.
  @Test func `Bug: models whose configuration hangs were waited for one after the other`()
    async throws
  {
    let client = try await HostileServer.shared().client("hanging:40") {
      $0.timeout = .seconds(60)
    }
    var configuration = TritonEngine.Configuration()
    configuration.companionPatience = .milliseconds(500)
    let engine = try await TritonEngine(
      client: client, model: "dense", shape: .hostile, configuration: configuration)
    let named = engine.plan.options.filter { $0.model.hasPrefix("hanging") }
    #expect(named.count == 40)
    #expect(named.allSatisfy { $0.contract == nil && $0.verdict.contains("within 0.5 seconds") })
    try await engine.expectRight(someSentences)
  }

  @Test func `Bug: a list of models that did not come in time was an empty one`() async throws {
    let engine = try await TritonEngine.hostile("index") {
      $0.companionPatience = .milliseconds(500)
    }
    // The name that an ensemble would have is tried: this server serves any.
    #expect(engine.plan.options.contains { $0.verdict.contains("does not list its models") })
    #expect(engine.plan.explanation.contains("deadline"), "\(engine.plan.explanation)")
  }

  @Test func `The model that was named has the client's time`() async throws {
    let client = try await HostileServer.shared().client("config") { $0.timeout = .seconds(1) }
    await expectFailure(.deadline) {
      _ = try await TritonEngine(client: client, model: "dense", shape: .hostile)
    }
  }

  @Test(arguments: ["hanging:3", "config", "index"])
  func `A cancelled discovery ends as one`(_ lie: String) async throws {
    let client = try await HostileServer.shared().client(lie)
    let discovery = Task {
      try await TritonEngine(client: client, model: "dense", shape: .hostile)
    }
    while client.callsInFlight == 0 {
      try Task.checkCancellation()
      await Task.yield()
    }
    discovery.cancel()
    await #expect(throws: CancellationError.self) { try await discovery.value }
  }

  @Test func `Bug: a busy server failed a discovery at once, with the patience for nothing`()
    async throws
  {
    let engine = try await TritonEngine.hostile("overload:6")
    try await engine.expectRight(someSentences)
    await expectFailure(.overload) {
      _ = try await TritonEngine.hostile("overload:6") { $0.overloadPatience = .zero }
    }
  }
}
