import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import GRPCProtobuf

/// The grpc-swift-2 peer: generated messages over the NIO transport.
/// `grpc-swift-peer large PORT BYTES COUNT | grpc-swift-peer small PORT CONCURRENCY SECONDS`
@main
struct Peer {
  static func main() async throws {
    let words = CommandLine.arguments.dropFirst()
    let numbers = words.dropFirst().compactMap(Double.init)
    guard let mode = words.first, numbers.count == 3 else { throw Failure("see Peer.swift") }
    let transport = try HTTP2ClientTransport.Posix(
      target: .ipv4(address: "127.0.0.1", port: Int(numbers[0])), transportSecurity: .plaintext)
    try await withGRPCClient(transport: transport) { client in
      let peer = Client(client: client)
      switch mode {
      case "large": try await large(peer, bytes: Int(numbers[1]), count: Int(numbers[2]))
      case "small": try await small(peer, concurrency: Int(numbers[1]), seconds: numbers[2])
      default: throw Failure("no mode \(mode)")
      }
    }
  }

  static func large(_ client: Client, bytes: Int, count: Int) async throws {
    try await client.infer("small", expecting: smallBytes)
    let base = Usage.memory("VmRSS")
    try await client.infer("large:\(bytes)", expecting: bytes)
    let before = Usage.cpu()
    var walls: [Double] = []
    for _ in 0..<count {
      let taken = try await ContinuousClock().measure {
        try await client.infer("large:\(bytes)", expecting: bytes)
      }
      walls.append(taken / .seconds(1))
    }
    report(["wall_s": walls, "cpu_s": Usage.cpu() - before], base: base)
  }

  static func small(_ client: Client, concurrency: Int, seconds: Double) async throws {
    _ = try await client.load(concurrency: concurrency, seconds: warmUp)
    let base = Usage.memory("VmRSS")
    let before = Usage.cpu()
    let begin = ContinuousClock.now
    let taken = try await client.load(concurrency: concurrency, seconds: seconds).sorted()
    let elapsed = (ContinuousClock.now - begin) / .seconds(1)
    report(
      [
        "requests": taken.count, "seconds": elapsed, "cpu_s": Usage.cpu() - before,
        "p50_us": taken[taken.count / 2], "p99_us": taken[taken.count * 99 / 100],
      ], base: base)
  }

  static func report(_ figures: [String: Any], base: Int) {
    let memory = ["peak_bytes": Usage.memory("VmHWM"), "base_bytes": base]
    let all = figures.merging(memory) { figure, _ in figure }
    let json = try! JSONSerialization.data(withJSONObject: all)
    print(String(decoding: json, as: UTF8.self))
  }

  static let smallBytes = 10240
  static let warmUp = 0.5
}

struct Client: Sendable {
  let client: GRPCClient<HTTP2ClientTransport.Posix>

  /// One request made anew, as for tokens that differ; its answer as floats, checked.
  func infer(_ model: String, expecting bytes: Int) async throws {
    var options = CallOptions.defaults
    // The transport of this version takes the limit of requests for answers as well.
    (options.maxRequestMessageBytes, options.maxResponseMessageBytes) = (.max, .max)
    let values = try await client.unary(
      request: ClientRequest(message: Self.request(model)), descriptor: Self.method,
      serializer: ProtobufSerializer<Inference_ModelInferRequest>(),
      deserializer: ProtobufDeserializer<Inference_ModelInferResponse>(), options: options
    ) { try Self.floats(of: $0.message) }
    try Self.check(values, bytes: bytes)
  }

  /// Keeps `concurrency` tasks asking for `seconds`; the microseconds of each request.
  func load(concurrency: Int, seconds: Double) async throws -> [Double] {
    let end = ContinuousClock.now + .seconds(seconds)
    return try await withThrowingTaskGroup(of: [Double].self) { group in
      for _ in 0..<concurrency {
        group.addTask { try await ask(until: end) }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
  }

  private func ask(until end: ContinuousClock.Instant) async throws -> [Double] {
    var taken: [Double] = []
    while true {
      let begin = ContinuousClock.now
      guard begin < end else { return taken }
      try await infer("small", expecting: Peer.smallBytes)
      taken.append((ContinuousClock.now - begin) / .microseconds(1))
    }
  }

  private static func request(_ model: String) -> Inference_ModelInferRequest {
    var request = Inference_ModelInferRequest()
    request.modelName = model
    add(ids, name: "ids", type: "INT64", to: &request)
    add(types, name: "types", type: "INT64", to: &request)
    add(mask, name: "mask", type: "FP32", to: &request)
    return request
  }

  private static func add<Value>(
    _ values: [Value], name: String, type: String, to request: inout Inference_ModelInferRequest
  ) {
    var input = Inference_ModelInferRequest.InferInputTensor()
    (input.name, input.datatype, input.shape) = (name, type, [Int64(rows), Int64(tokens)])
    request.inputs.append(input)
    request.rawInputContents.append(values.withUnsafeBytes { Data($0) })
  }

  private static func floats(of response: Inference_ModelInferResponse) throws -> [Float] {
    guard let raw = response.rawOutputContents.first else { throw Failure("no output") }
    return [Float](unsafeUninitializedCapacity: raw.count / 4) { values, count in
      count = raw.copyBytes(to: UnsafeMutableRawBufferPointer(values)) / 4
    }
  }

  /// Refuses an answer that has another size or other values than i % 1000.
  private static func check(_ values: [Float], bytes: Int) throws {
    guard values.count * 4 == bytes else { throw Failure("the answer has another size") }
    for step in 0..<8 {
      let index = (values.count - 1) * step / 7
      guard values[index] == Float(index % 1000) else {
        throw Failure("the answer has other values")
      }
    }
  }

  private static let method = MethodDescriptor(
    fullyQualifiedService: "inference.GRPCInferenceService", method: "ModelInfer", type: .unary)
  private static let (rows, tokens) = (16, 64)
  private static let ids = [Int64](repeating: 101, count: rows * tokens)
  private static let types = [Int64](repeating: 0, count: rows * tokens)
  private static let mask = [Float](repeating: 1, count: rows * tokens)
}

enum Usage {
  /// Seconds of processor time that this process has used.
  static func cpu() -> Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) * 1e-6 }
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
  }

  /// A line of /proc/self/status, as VmHWM or VmRSS, in bytes.
  static func memory(_ key: String) -> Int {
    let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = status?.split(separator: "\n").first { $0.hasPrefix(key + ":") }
    let kilobytes = line?.split(whereSeparator: \.isWhitespace).dropFirst().first
    return kilobytes.flatMap { Int($0) }.map { $0 * 1024 } ?? 0
  }
}

struct Failure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
