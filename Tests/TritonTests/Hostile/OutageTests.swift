import Foundation
import Inference
import InMemoryLogging
import Logging
import Testing

@testable import RelationServing
@testable import Triton

/// What was lost with its connection is sent again, and a word is said of it.
@Suite(.timeLimit(.minutes(1))) struct OutageTests {
  @Test func `Bug: a server that is away for a moment ended the run`() async throws {
    let handler = InMemoryLogHandler()
    let engine = try await TritonEngine.hostile("away:3", of: 777) {
      $0.logger = Logger(label: "test") { _ in handler }
      $0.outagePatience = .seconds(120)
    }
    try await engine.expectRight([[101, 777, 102]])
    #expect(engine.statistics.outages == 3)
    let told = handler.entries
    #expect(told.map(\.level) == [.warning, .notice])
    #expect(told.first?.metadata["for"] == "120.0 seconds")
    #expect(told.last?.metadata["sent_again"] == "3")
  }

  @Test func `Patience with a server that is away ends with its own error`() async throws {
    let engine = try await TritonEngine.hostile("away:3", of: 777)  // of a client that never waits
    let error = await #expect(throws: InferenceError.self) {
      try await engine.expectRight([[101, 777, 102]])
    }
    #expect(error?.code == .unavailable && error?.isRetriable == true)
  }

  @Test func `What a server refuses for overload is sent again, and counted`() async throws {
    let engine = try await TritonEngine.hostile("overload:5", of: 777)
    try await engine.expectRight([[101, 777, 102]])
    #expect(engine.statistics.overloads == 5 && engine.statistics.outages == 0)
    let hasty = try await TritonEngine.hostile("overload:5", of: 777) {
      $0.overloadPatience = .zero
    }
    await expectFailure(.overload) { try await hasty.expectRight([[101, 777, 102]]) }
  }

  @Test func `Who waits for a lost server and is cancelled goes at once`() async throws {
    let engine = try await TritonEngine.hostile("away:1000000", of: 777) {
      $0.outagePatience = .seconds(120)
    }
    let task = Task { try await engine.expectRight([[101, 777, 102]]) }
    while engine.statistics.outages == 0 {
      try Task.checkCancellation()
      await Task.yield()
    }
    task.cancel()
    let error = await #expect(throws: InferenceError.self) { try await task.value }
    #expect(error?.code == .cancelled)
  }
}
