import Foundation
import Synchronization
import Triton

/// Mixed traffic against the models of the integration tests, to see what grows: unary calls of
/// several sizes, streams, shared memory, cancelled calls, calls to a model that fails.
///
/// `client-bench soak SERVER SECONDS` prints one JSON line every ten seconds and one at the end.
enum Soak {
  static func run(_ arguments: [String]) async throws {
    guard arguments.count == 2, let seconds = Double(arguments[1]) else {
      fatalError("usage: client-bench soak HOST:PORT SECONDS")
    }
    var configuration = TritonClient.Configuration()
    configuration.timeout = .seconds(10)
    let client = try TritonClient(arguments[0], configuration: configuration)
    let end = ContinuousClock.now + .milliseconds(Int64(seconds * 1_000))
    let tally = Tally()
    await withTaskGroup(of: Void.self) { group in
      for worker in 0..<8 {
        group.addTask { await drive(client, worker, tally, until: end) }
      }
      group.addTask {
        while ContinuousClock.now < end {
          try? await Task.sleep(for: .seconds(10))
          report(tally.line(client))
        }
      }
    }
    let regions = try? await client.systemSharedMemory()
    await client.close()
    report(tally.line(client, regions: regions?.count ?? -1))
  }

  /// Written at once, because the driver reads while the traffic runs.
  private static func report(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
  }

  /// One worker's calls, each kind in turn; one of 41 is cancelled after a moment. More would
  /// kill Triton again and again: github.com/triton-inference-server/server/issues/8034.
  private static func drive(
    _ client: TritonClient, _ worker: Int, _ tally: Tally, until end: ContinuousClock.Instant
  ) async {
    var turn = worker
    while ContinuousClock.now < end {
      turn += 1
      let kind = turn % 5
      let call = Task { try await perform(client, kind) }
      if turn % 41 == 0 {
        try? await Task.sleep(for: .microseconds(Int.random(in: 0..<20_000)))
        call.cancel()
      }
      let result = await call.result
      tally.count(result)
      // While the server is down a worker would only count refused connections.
      if case .failure = result { try? await Task.sleep(for: .milliseconds(50)) }
    }
  }

  private static func perform(_ client: TritonClient, _ kind: Int) async throws {
    switch kind {
    case 0: try await sum(client, [1, 2, 3])
    case 1:
      let input = InferInput("COUNT", shape: [1], [Int32(250_000)])
      let data = try await client.infer(InferRequest("answer", inputs: [input])).output("DATA")
      try require(data.bytes.load(249_999, as: Float.self) == 999)
    case 2: try await stream(client)
    case 3: try await shared(client)
    default:
      // A model that fails by design: errors must not leak either.
      let index = try await client.repositoryIndex()
      try require(index.contains { $0.name == "failing" })
      _ = try? await client.modelMetadata("failing", options: .init(attempts: 1))
    }
  }

  private static func sum(_ client: TritonClient, _ values: [Int32]) async throws {
    let inputs = ["A", "B"].map { InferInput($0, shape: [1, values.count], values) }
    let total = try await client.infer(InferRequest("sum", inputs: inputs)).output("SUM")
    try require(try total.array(of: Int32.self) == values.map { $0 * 2 })
  }

  private static func stream(_ client: TritonClient) async throws {
    let values: [Int32] = [1, 2, 3, 4]
    var got: [Int32] = []
    try await client.stream { stream in
      let input = InferInput("IN", shape: [values.count], values)
      try await stream.send(InferRequest("repeat", inputs: [input]))
      try await stream.finish()
      for try await answer in stream {
        got += try answer.get().outputs.first?.array(of: Int32.self) ?? []
      }
    }
    try require(got == values)
  }

  /// Inputs from a region that is registered for this one call.
  private static func shared(_ client: TritonClient) async throws {
    let region = try SystemRegion(byteCount: 4_096, name: "spo-soak")
    guard let lease = region.lease(12) else { return }
    lease.withBytes { $0.copyBytes(from: [1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0] as [UInt8]) }
    try await region.withRegistration(at: client) {
      let inputs = ["A", "B"].map {
        InferInput($0, .int32, shape: [1, 3], region: lease.slice)
      }
      let total = try await client.infer(InferRequest("sum", inputs: inputs)).output("SUM")
      try require(try total.array(of: Int32.self) == [2, 4, 6])
    }
  }

  private static func require(_ condition: Bool) throws {
    if !condition { throw WrongAnswer() }
  }

  private struct WrongAnswer: Error {}

  /// What has happened so far, and what the process holds.
  private final class Tally: Sendable {
    private let counts = Mutex((ok: 0, cancelled: 0, failed: 0, wrong: 0))

    func count(_ result: Result<Void, any Error>) {
      counts.withLock { counts in
        switch result {
        case .success: counts.ok += 1
        case .failure(is CancellationError): counts.cancelled += 1
        case .failure(is WrongAnswer): counts.wrong += 1
        case .failure: counts.failed += 1
        }
      }
    }

    func line(_ client: TritonClient, regions: Int = -1) -> String {
      let counts = counts.withLock { $0 }
      let descriptors =
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
      return """
        {"ok": \(counts.ok), "cancelled": \(counts.cancelled), "failed": \(counts.failed), \
        "wrong": \(counts.wrong), "in_flight": \(client.callsInFlight), \
        "rss_kb": \(resident), "descriptors": \(descriptors.count), "regions": \(regions)}
        """
    }

    private var resident: Int {
      let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
      return (pages.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4
    }
  }
}
