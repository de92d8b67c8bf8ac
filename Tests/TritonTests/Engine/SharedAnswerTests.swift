import Foundation
import GRPCChannel
import GlobalPointer
import Inference
import Testing

@testable import RelationServing
@testable import Triton

/// Dense answers in memory that client and server share: used again, given back, never mixed up.
@Suite(.serialized, .timeLimit(.minutes(3))) struct SharedAnswerTests {
  private static let kind = ServerKind.own("memory", ["spo_dense", "spo_semantic"])

  private func engine(_ server: TestServer? = nil) async throws -> TritonEngine {
    let client =
      if let server { try server.client() } else {
        try await Servers.get(Self.kind).client()
      }
    let shape = ModelShape(
      vocabularySize: 1_000, predicateCount: ContractLogits.predicates, maximumTokens: 64)
    var configuration = TritonEngine.Configuration()
    configuration.route = .denseSharedMemory
    return try await TritonEngine(
      client: client, model: "spo_dense", shape: shape, configuration: configuration)
  }

  private func registered() async throws -> [String] {
    try await Servers.get(Self.kind).client().systemSharedMemory().map(\.name)
  }

  @Test func `Regions are used again, and none is left`() async throws {
    let engine = try await engine()
    let names = try await engine.closing { engine in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for task in 0..<40 {
          group.addTask {
            let ids = (0..<Int.random(in: 3...64)).map { Int32(($0 * 31 + task) % 900 + 1) }
            let answer = try await engine.infer(InferenceBatch([ids]), threshold: 2)
            let expected = try ContractLogits(ids: ids, length: 64).decoded(threshold: 2)
            #expect(answer == [expected])
          }
        }
        try await group.waitForAll()
      }
      return try await registered()
    }
    #expect(!names.isEmpty && names.count <= engine.limits.concurrency)
    #expect(try await registered().isEmpty)
    #expect(engine.statistics.fellBack == 0)
    #expect(engine.statistics.bytesReceived < 100_000)
    await Self.eventually {
      !names.contains { FileManager.default.fileExists(atPath: "/dev/shm/\($0)") }
    }
  }

  @Test func `An engine that is let go without closing leaves no region either`() async throws {
    let ids: [Int32] = [101, 5, 9, 12, 7, 102]
    _ = try await engine().infer(InferenceBatch([ids]), threshold: 0)
    await Self.eventually { try await registered().isEmpty }
  }

  @Test func `A cancelled request's region is not used again while the server may write it`()
    async throws
  {
    // Triton up to 25.01 may crash when a call is cancelled (server issue 7368): begun anew then.
    for _ in 1...5 {
      let server = try await Servers.start(.own("cancelled", ["spo_dense"]))
      do { return try await cancelTwenty(server) } catch {
        guard await server.hasEnded() else { throw error }
      }
    }
    Issue.record("five servers in a row ended during the test")
  }

  private func cancelTwenty(_ server: TestServer) async throws {
    try await engine(server).closing { engine in
      for _ in 0..<20 {
        let task = Task {
          try await engine.infer(InferenceBatch([Array(repeating: 7, count: 64)]), threshold: 2)
        }
        try await Task.sleep(for: .microseconds(Int.random(in: 0...4_000)))
        task.cancel()
        let ids: [Int32] = [101, 5, 9, 12, 7, 102]
        let answer = try await engine.infer(InferenceBatch([ids]), threshold: 0)
        #expect(try answer == [ContractLogits(ids: ids, length: 6).decoded(threshold: 0)])
        _ = await task.result
      }
    }
    var left = try await server.client().systemSharedMemory()
    for _ in 0..<200 where !left.isEmpty {
      try await Task.sleep(for: .milliseconds(25))
      left = try await server.client().systemSharedMemory()
    }
    #expect(left.isEmpty)
  }

  @Test func `Regions whose owner died are unregistered by the next client, live ones are not`()
    async throws
  {
    let client = try await Servers.get(Self.kind).client()
    let dead = try await Command("/bin/true", []).pid
    let orphan = "\(RegionPool.prefix)-\(dead)-\(UInt64.random(in: 0 ... .max))"
    let descriptor = shm_open("/" + orphan, O_CREAT | O_RDWR, 0o600)
    ftruncate(descriptor, 4_096)
    close(descriptor)
    try await client.registerSystemSharedMemory(orphan, key: "/" + orphan, byteCount: 4_096)
    let live = try SystemRegion(byteCount: 4_096, name: RegionPool.prefix)
    try await live.withRegistration(at: client) {
      try await engine().closing { _ in
        let names = try await registered()
        #expect(!names.contains(orphan) && names.contains(live.name))
      }
    }
    #expect(!FileManager.default.fileExists(atPath: "/dev/shm/" + orphan))
  }

  private static func eventually(_ condition: () async throws -> Bool) async {
    for _ in 0..<200 {
      if (try? await condition()) == true { return }
      try? await Task.sleep(for: .milliseconds(25))
    }
    Issue.record("it did not come true within 5 s")
  }
}
