import Foundation
import GRPCChannel
import Testing
import Triton

/// Three servers behind one target.
@Suite(.serialized, .timeLimit(.minutes(3))) struct ClusterTests {
  private static func servers() async throws -> [TestServer] {
    var servers: [TestServer] = []
    for number in 0..<3 {
      servers.append(try await Servers.start(.own("cluster-\(number)", ["sum"])))
    }
    return servers
  }

  private static let request = InferRequest(
    "sum", inputs: ["A", "B"].map { InferInput($0, shape: [1, 2], [3, 4] as [Int32]) })

  private static func executions(_ server: TestServer) async throws -> Int {
    try await server.client().modelStatistics("sum").reduce(0) { $0 + $1.success.count }
  }

  private static func client(_ servers: [TestServer], attempts: Int) throws -> TritonClient {
    var configuration = TritonClient.Configuration.once
    configuration.channel.loadBalancing = .roundRobin
    configuration.retry = RetryPolicy()
    configuration.retry.attempts = attempts
    let target = servers.map { "127.0.0.1:\($0.grpc)" }.joined(separator: ",")
    return try TritonClient(target, configuration: configuration)
  }

  @Test("Bug: requests outlast one of two servers that is told to stop, as in a rolling restart")
  func rollingRestart() async throws {
    let servers = [
      try await Servers.start(.own("rolling-0", ["sum"])),
      try await Servers.start(.own("rolling-1", ["sum"])),
    ]
    let client = try Self.client(servers, attempts: 2)
    for _ in 0..<4 { _ = try await client.infer(Self.request) }
    // It answers NOT_FOUND "no available versions" while it drains, and then is gone.
    Foundation.kill(servers[0].pid, SIGTERM)
    while Foundation.kill(servers[0].pid, 0) == 0 { _ = try await client.infer(Self.request) }
    for _ in 0..<100 { _ = try await client.infer(Self.request) }
    #expect(client.statistics.failed == [:])
  }

  @Test func `Requests go round, and go on when one of three dies`() async throws {
    let servers = try await Self.servers()
    let client = try Self.client(servers, attempts: 5)
    // Until all three are connected, the first one gets more than its share.
    var counts = [0, 0, 0]
    while counts.min() == 0 {
      for _ in 0..<9 { _ = try await client.infer(Self.request) }
      for index in 0..<3 { counts[index] = try await Self.executions(servers[index]) }
    }
    servers[1].kill()
    for _ in 0..<60 {
      let total = try await client.infer(Self.request).output("SUM").array(of: Int32.self)
      #expect(total == [6, 8])
    }
    for index in [0, 2] {
      let after = try await Self.executions(servers[index])
      #expect(after > counts[index])
    }
  }
}
