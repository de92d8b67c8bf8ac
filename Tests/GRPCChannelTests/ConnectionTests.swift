import Foundation
import GRPCChannel
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct ConnectionTests {
  @Test func `A server that is not there is named as refused, at once`() async throws {
    let server = try await EchoServer()
    server.kill()
    let channel = server.channel()
    let error = await rpcError { try await channel.ask("Echo", "", .timeout(.seconds(60))) }
    #expect(error?.code == .unavailable)
    #expect(error?.debug.contains("Connection refused") == true, "\(error?.debug ?? "")")
    #expect(error?.isLocal == false)
    await channel.close()
  }

  @Test func `A server that is slow to shake hands is waited for`() async throws {
    let server = try await EchoServer()
    server.pause()
    let channel = server.channel()
    let call = Task { try await channel.ask("Echo", "at last") }
    await eventually("it did not try to connect") { channel.connectivity() == .connecting }
    // Longer than the first pause between two attempts, which once was all that one was given.
    try await Task.sleep(for: .milliseconds(600))
    server.resume()
    #expect(try await call.value == "at last")
    await channel.close()
  }

  @Test func `A server that never shakes hands fails the call after the connect timeout`()
    async throws
  {
    let server = try await EchoServer()
    server.pause()
    var configuration = ChannelConfiguration()
    configuration.connectTimeout = .milliseconds(300)
    let channel = server.channel(configuration)
    let error = await rpcError { try await channel.ask("Echo", "", .timeout(.seconds(60))) }
    #expect(error?.code == .unavailable)
    await channel.close()
  }

  @Test func `A channel connects again to a server that was killed and restarted`() async throws {
    let server = try await EchoServer()
    var configuration = ChannelConfiguration()
    configuration.longestReconnectPause = .milliseconds(300)
    let channel = server.channel(configuration)
    for round in 0..<3 {
      #expect(try await channel.ask("Echo", "\(round)") == "\(round)")
      let waiting = Task { await rpcError { try await channel.ask("Silent", "") } }
      await eventually("the call did not start") { channel.callsInFlight == 1 }
      server.kill()
      #expect(await waiting.value?.code == .unavailable)
      #expect(await rpcError { try await channel.ask("Echo", "") }?.code == .unavailable)
      try await server.restart()
      channel.resetConnectBackoff()
      await eventually("the channel did not connect again") {
        await thrown { try await channel.ask("Echo", "") } == nil
      }
    }
    await channel.close()
  }

  @Test func `A stream whose server is killed ends with an error, its senders too`() async throws {
    let server = try await EchoServer()
    let channel = server.channel()
    let error = await rpcError {
      try await channel.bidirectional(.echo("EchoStream")) { stream in
        try await stream.send(OutgoingMessage("one"))
        #expect(try await stream.receive()?.text == "one")
        server.kill()
        let received = await rpcError { try await stream.receive() }
        #expect(received?.code == .unavailable)
        let sent = await rpcError { try await stream.send(OutgoingMessage("two")) }
        #expect(sent?.code == .unavailable)
        if let received { throw received }
      }
    }
    #expect(error?.code == .unavailable)
    await channel.close()
  }

  @Test func `A call that waits for a connection is answered when the server comes`() async throws {
    let server = try await EchoServer()
    server.kill()
    let channel = server.channel()
    var options = RPCOptions.timeout(.seconds(60))
    options.waitsForReady = true
    let waiting = Task { [options] in try await channel.ask("Echo", "patient", options) }
    await eventually("no attempt to connect") { channel.connectivity() == .transientFailure }
    try await server.restart()
    #expect(try await waiting.value == "patient")
    #expect(channel.connectivity() == .ready)
    await channel.close()
  }

  @Test func `Waiting for a connection ends with the deadline`() async throws {
    let server = try await EchoServer()
    server.kill()
    let channel = server.channel()
    var options = RPCOptions.timeout(.milliseconds(100))
    options.waitsForReady = true
    let error = await rpcError { try await channel.ask("Echo", "", options) }
    #expect(error?.code == .deadlineExceeded)
    await channel.close()
  }

  @Test func `The state of the connection is told`() async throws {
    let server = try await EchoServer()
    let channel = server.channel()
    #expect(channel.connectivity() == .idle)
    _ = channel.connectivity(connect: true)
    await eventually("it did not connect") { channel.connectivity() == .ready }
    server.kill()
    await eventually("it did not notice") { channel.connectivity() != .ready }
    await channel.close()
  }

  @Test func `A channel over two servers goes on with the one that lives`() async throws {
    let (first, second) = (try await EchoServer(), try await EchoServer())
    var configuration = ChannelConfiguration()
    configuration.loadBalancing = .roundRobin
    let target = try Target("127.0.0.1:\(first.port),127.0.0.1:\(second.port)")
    let channel = Channel(target, configuration: configuration)
    var peers: Set<String> = []
    try await withKnownPeers(channel, until: 2, into: &peers)
    #expect(peers.count == 2)
    first.kill()
    await eventually("the living server gave no answer") {
      await thrown { try await channel.ask("Echo", "x") } == nil
    }
    #expect(try await channel.ask("Echo", "still here") == "still here")
    await channel.close()
  }

  /// Asks until so many servers have answered.
  private func withKnownPeers(
    _ channel: Channel, until count: Int, into peers: inout Set<String>
  ) async throws {
    for _ in 0..<2_000 where peers.count < count {
      peers.insert(try await channel.unary(.echo("Echo"), OutgoingMessage("x")).peer)
    }
  }

  @Test(arguments: ["HTTP", "silence", "an empty frame", "garbage"])
  func `What answers and speaks no gRPC is unavailable`(_ answer: String) async throws {
    let answers = [
      "HTTP": "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "silence": "",
      "an empty frame": "\0\0\0\u{4}\0\0\0\0\0",
      "garbage": String(repeating: "garbage", count: 1_000),
    ]
    let impostor = try Impostor(answers[answer]!)
    let channel = Channel(try Target("127.0.0.1:\(impostor.port)"))
    let error = await rpcError { try await channel.ask("Echo", "", .timeout(.seconds(3))) }
    #expect([.unavailable, .deadlineExceeded].contains(error?.code))
    await channel.close()
  }
}
