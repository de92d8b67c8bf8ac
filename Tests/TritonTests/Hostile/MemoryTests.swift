import Foundation
import Inference
import Testing

@testable import RelationServing
@testable import Triton

/// What a server may do to the memory of this machine.
@Suite(.serialized, .timeLimit(.minutes(2))) struct MemoryTests {
  private static func make(_ name: String) {
    let descriptor = shm_open("/" + name, O_CREAT | O_RDWR, 0o600)
    _ = ftruncate(descriptor, 8)
    close(descriptor)
  }

  private static func exists(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: "/dev/shm/" + name)
  }

  @Test func `Bug: a server could have any shared memory of the user unlinked`() async throws {
    let dead = try await Command("/bin/true", []).pid
    let number = UInt64.random(in: 0 ... .max)
    // Another program's; ours by the look of the prefix; of a process that lives.
    let victims = [
      "victim-\(number)", "spo-answer-victim-\(number)", "spo-answer-\(dead)-x\(number)",
      "spo-answer-\(getppid())-\(number)",
    ]
    let orphan = "spo-answer-\(dead)-\(number)"
    for name in victims + [orphan] { Self.make(name) }
    defer { for name in victims + [orphan] { shm_unlink("/" + name) } }
    // Each under its own name, and under one that is of our form.
    let honest = (victims + [orphan]).map { "\($0)=/\($0)" }
    let other = victims.map { "spo-answer-\(dead)-\(UInt64.random(in: 0 ... .max))=/\($0)" }
    let engine = try await TritonEngine.hostile(
      "memory-steal:" + (honest + other).joined(separator: ","))
    #expect(engine.plan.primary.route == .denseSharedMemory, "\(engine.plan.explanation)")
    #expect(victims.filter(Self.exists) == victims)
    #expect(!Self.exists(orphan))
    await engine.close()
  }

  @Test func `Bug: a server was believed to map memory that it never wrote to`() async throws {
    let engine = try await TritonEngine.hostile("memory-blind")
    #expect(engine.plan.primary.route == .dense, "\(engine.plan.explanation)")
    let verdict = engine.plan.options.first { $0.route == .denseSharedMemory }?.verdict
    #expect(verdict?.contains("does not write to") == true)
    try await engine.expectRight(someSentences)
  }

  @Test func `A region that the server may still write into is given to no other request`()
    async throws
  {
    let engine = try await TritonEngine.hostile("memory-late", of: 777) {
      $0.call.timeout = .seconds(1)
    }
    #expect(engine.plan.primary.route == .denseSharedMemory, "\(engine.plan.explanation)")
    try await engine.closing { engine in
      await expectFailure(.deadline) { try await engine.expectRight([[101, 777, 102]]) }
      // The server writes over the first region before it answers this one.
      try await engine.expectRight([[101, 5, 102]], threshold: -50)
    }
  }

  @Test func `A request that was lost and is sent again has another region`() async throws {
    let engine = try await TritonEngine.hostile("memory-lost", of: 777) {
      $0.outagePatience = .seconds(120)
    }
    try await engine.closing { engine in
      // The server writes over the first region before it answers the second attempt.
      try await engine.expectRight([[101, 777, 102]], threshold: -50)
      #expect(engine.statistics.outages == 1)
    }
  }

  @Test func `Nothing of a run is left, whether it ends well, is cancelled or fails`() async throws
  {
    let before = Set(try FileManager.default.contentsOfDirectory(atPath: "/dev/shm"))
    for (lie, token) in [("memory", nil), ("memory-late", Int32(777))] {
      let engine = try await TritonEngine.hostile(lie, of: token)
      await engine.closing { engine in
        let task = Task { try await engine.expectRight([[101, 777, 102]]) }
        if token == nil { _ = await task.result }
        task.cancel()
        _ = await task.result
      }
    }
    let own = "spo-answer-\(getpid())-"
    let after = try FileManager.default.contentsOfDirectory(atPath: "/dev/shm")
    #expect(after.filter { $0.hasPrefix(own) && !before.contains($0) }.isEmpty)
  }
}
