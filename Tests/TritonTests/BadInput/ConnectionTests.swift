import Foundation
import Testing
import Triton

/// Servers that are not there, are something else, or go away.
@Suite(.timeLimit(.minutes(3))) struct ConnectionTests {
  @Test func `No server is a connection error at once`() async throws {
    let silent = try SilentListener(listens: false)
    let client = try TritonClient(silent.address, configuration: .once)
    let begin = ContinuousClock.now
    await expectFailure(.connection, saying: "Connection refused") { _ = try await client.isLive() }
    #expect(ContinuousClock.now - begin < .seconds(10))
  }

  @Test func `An HTTP port is told from a gRPC port`() async throws {
    let server = try await Servers.get(.main)
    let client = try TritonClient("localhost:\(server.http)", configuration: .once)
    await expectFailure(.connection, saying: "8001") { _ = try await client.isLive() }
  }

  @Test func `A server that accepts and never answers meets the deadline`() async throws {
    let silent = try SilentListener(listens: true)
    let client = try TritonClient(silent.address, configuration: .once)
    await #expect(throws: TritonError.self) {
      _ = try await client.isLive(options: .init(timeout: .milliseconds(500)))
    }
    #expect(client.callsInFlight == 0)
  }

  @Test func `An unknown model and one that is not ready are told apart`() async throws {
    let client = try await Servers.main()
    let input = InferInput("IN", shape: [1], [Int32(1)])
    await expectFailure(.unknownModel, saying: "nobody") {
      _ = try await client.infer(InferRequest("nobody", inputs: [input]))
    }
    await expectFailure(.notReady, saying: "load the model, or see why it failed") {
      _ = try await client.infer(InferRequest("failing", inputs: [input]))
    }
  }

  @Test func `A server killed in the middle of an answer ends the call`() async throws {
    let server = try await Servers.start(.own("victim", ["slow"]))
    let client = try server.client()
    let call = Task {
      let input = InferInput("MS", shape: [1, 1], [Int32(30_000)])
      _ = try await client.infer(InferRequest("slow", inputs: [input]))
    }
    // Live answers come over another connection: the call has left when the server counts it.
    while client.callsInFlight == 0 { await Task.yield() }
    _ = try await client.isLive()
    server.kill()
    await expectFailure(.connection) { try await call.value }
    #expect(client.callsInFlight == 0)
  }

  @Test func `A client finds its server again after a restart`() async throws {
    var kind = ServerKind.own("restarted", ["sum"])
    let first = try await Servers.start(kind)
    var configuration = TritonClient.Configuration.once
    configuration.timeout = .seconds(60)
    let client = try first.client(configuration)
    _ = try await client.isLive()
    first.kill()
    await expectFailure(.connection) { while true { _ = try await client.isLive() } }
    kind.grpcPort = first.grpc
    let second = try await Servers.start(kind)
    #expect(second.pid != first.pid)
    try await client.waitUntilReady(model: "sum", timeout: .seconds(60))
  }

  @Test func `A model's own error comes with its text and status`() async throws {
    let client = try await Servers.main()
    for (code, expected) in [
      ("NOT_FOUND", TritonError.Code.unknownModel), ("INTERNAL", .serverFailure),
    ] {
      let inputs = [
        InferInput("MESSAGE", shape: [1], strings: ["坏了 \(code)"]),
        InferInput("CODE", shape: [1], strings: [code]),
      ]
      await expectFailure(expected, saying: "坏了 \(code)") {
        _ = try await client.infer(InferRequest("raising", inputs: inputs))
      }
    }
  }

  @Test func `Requests that cannot be right are not sent`() async throws {
    let client = try await Servers.main()
    let short = InferInput("A", .int32, shape: [1, 3], bytes: .init([Int32(1)]))
    await expectFailure(.invalidRequest, saying: "expected 12") {
      _ = try await client.infer(InferRequest("sum", inputs: [short]))
    }
    let once = InferInput("A", shape: [1], [Int32(1)])
    await expectFailure(.invalidRequest, saying: "twice") {
      _ = try await client.infer(InferRequest("sum", inputs: [once, once]))
    }
    await expectFailure(.contract) {
      _ = try await client.infer(InferRequest("sum", inputs: [once]))
    }
    #expect(client.statistics.bytesSent < 1_000)
  }
}

/// A TCP port at which nobody speaks; `listens: false` only reserves the number for a moment.
final class SilentListener {
  let address: String
  private let descriptor: Int32

  init(listens: Bool) throws {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    self.descriptor = descriptor
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &place) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size) | getsockname(descriptor, $0, &size)
      }
    }
    guard status == 0 else { throw POSIXError(.EADDRINUSE) }
    // Bound and not listening, the port refuses connections and nobody else can take it.
    if listens { listen(descriptor, 8) }
    address = "127.0.0.1:\(UInt16(bigEndian: place.sin_port))"
  }

  deinit { close(descriptor) }
}
