import Foundation
import Triton

/// The Swift side of the client benchmark; it prints one JSON line as its peers do.
///
/// `client-bench large PORT BYTES COUNT` asks for large answers one after the other,
/// `client-bench small PORT CONCURRENCY SECONDS` keeps small requests in flight, from tasks on the
/// client's executor; `small-plain` from tasks on Swift's own. Every request is made anew; the size
/// and eight values of every answer are checked.
enum ClientBenchmark {
  static let (rows, tokens) = (16, 64)
  static let smallBytes = 10_240
  static let warmUp = Duration.milliseconds(500)

  static func run(_ arguments: [String]) async throws {
    guard arguments.count == 4, let first = Int(arguments[2]), let second = Double(arguments[3])
    else { fatalError("usage: large|small|small-plain PORT BYTES|CONCURRENCY COUNT|SECONDS") }
    try await TritonClient.with("127.0.0.1:\(arguments[1])") { client in
      switch arguments[0] {
      case "large": print(try await large(client, bytes: first, count: Int(second)))
      default:
        let executor = arguments[0] == "small" ? client.executor : nil
        print(try await small(client, executor, concurrency: first, .seconds(second)))
      }
    }
  }

  private static func large(_ client: TritonClient, bytes: Int, count: Int) async throws -> String {
    try await infer(client, "small", smallBytes)
    let base = Usage.memory("VmRSS")
    try await infer(client, "large:\(bytes)", bytes)
    let used = Usage.cpuSeconds
    var walls: [Double] = []
    for _ in 0..<count {
      let begin = ContinuousClock.now
      try await infer(client, "large:\(bytes)", bytes)
      walls.append((ContinuousClock.now - begin).inSeconds)
    }
    return """
      {"wall_s": \(walls), "cpu_s": \(Usage.cpuSeconds - used), \
      "peak_bytes": \(Usage.memory("VmHWM")), "base_bytes": \(base)}
      """
  }

  private static func small(
    _ client: TritonClient, _ executor: (any TaskExecutor)?, concurrency: Int, _ duration: Duration
  ) async throws -> String {
    _ = try await load(client, executor, concurrency, warmUp)
    let base = Usage.memory("VmRSS")
    let used = Usage.cpuSeconds
    let begin = ContinuousClock.now
    let taken = try await load(client, executor, concurrency, duration).sorted()
    let elapsed = (ContinuousClock.now - begin).inSeconds
    return """
      {"requests": \(taken.count), "seconds": \(elapsed), "p50_us": \(taken[taken.count / 2]), \
      "p99_us": \(taken[taken.count * 99 / 100]), "cpu_s": \(Usage.cpuSeconds - used), \
      "peak_bytes": \(Usage.memory("VmHWM")), "base_bytes": \(base)}
      """
  }

  /// Keeps `concurrency` tasks asking for `duration`; the microseconds of each request.
  private static func load(
    _ client: TritonClient, _ executor: (any TaskExecutor)?, _ concurrency: Int,
    _ duration: Duration
  ) async throws -> [Double] {
    let end = ContinuousClock.now + duration
    return try await withThrowingTaskGroup(of: [Double].self) { group in
      for _ in 0..<concurrency {
        group.addTask(executorPreference: executor) {
          var taken: [Double] = []
          var begin = ContinuousClock.now
          while begin < end {
            try await infer(client, "small", smallBytes)
            let now = ContinuousClock.now
            taken.append((now - begin).inSeconds * 1e6)
            begin = now
          }
          return taken
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
  }

  private static func infer(_ client: TritonClient, _ model: String, _ size: Int) async throws {
    let shape = [rows, tokens]
    let request = InferRequest(
      model,
      inputs: [
        InferInput("ids", shape: shape, Tokens.ids),
        InferInput("types", shape: shape, Tokens.types),
        InferInput("mask", shape: shape, Tokens.mask),
      ])
    let output = try await client.infer(request).output("output")
    guard output.datatype == .fp32, output.bytes.count == size else { fatalError("another size") }
    let count = size / 4
    for step in 0..<8 {
      let index = (count - 1) * step / 7
      guard output.bytes.load(index, as: Float.self) == Float(index % 1_000) else {
        fatalError("other values")
      }
    }
  }

  private enum Tokens {
    static let ids = [Int64](repeating: 101, count: rows * tokens)
    static let types = [Int64](repeating: 0, count: rows * tokens)
    static let mask = [Float](repeating: 1, count: rows * tokens)
  }
}

extension Duration {
  fileprivate var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}

/// What this process has used.
private enum Usage {
  static var cpuSeconds: Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) * 1e-6 }
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
  }

  /// A line of /proc/self/status, as VmHWM or VmRSS, in bytes.
  static func memory(_ key: String) -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("\(key):") }
    return (line?.split(separator: " ").dropLast().last.flatMap { Int($0) } ?? 0) * 1_024
  }
}
