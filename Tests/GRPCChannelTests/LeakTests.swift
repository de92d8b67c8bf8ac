import GRPCChannel
import TestSupport
import Testing

/// Other tests run meanwhile and open files and threads of their own, so the counts here are
/// either of this test's server alone or far above what the others need.
@Suite(.timeLimit(.minutes(2))) struct LeakTests {
  @Test func `Closed channels leave no connection to their server`() async throws {
    let server = try await EchoServer()
    for _ in 0..<20 {
      let channels = (0..<5).map { _ in server.channel() }
      for channel in channels { #expect(try await channel.ask("Echo", "x") == "x") }
      #expect(Descriptors.connections(to: server.port) >= 5)
      for channel in channels { await channel.close() }
    }
    await eventually("connections are left") { Descriptors.connections(to: server.port) == 0 }
  }

  @Test func `Two channels to one server have a connection each`() async throws {
    let server = try await EchoServer()
    let channels = (0..<3).map { _ in server.channel() }
    for channel in channels { #expect(try await channel.ask("Echo", "x") == "x") }
    #expect(Descriptors.connections(to: server.port) == 3)
    for channel in channels { await channel.close() }
  }

  @Test func `Channels that go while they connect leave no connection`() async throws {
    let server = try await EchoServer()
    // The core forgets some connections then, unless the channel is kept until they stand.
    for _ in 0..<100 {
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<4 { group.addTask { await Self.use(server.channel(), leaving: 2) } }
      }
    }
    await eventually("connections are left") { Descriptors.connections(to: server.port) == 0 }
  }

  @Test func `Hundreds of channels leave no file and no thread open`() async throws {
    let server = try await EchoServer()
    let before = (files: Descriptors.all().count, threads: Descriptors.threads())
    for _ in 0..<20 {
      await withTaskGroup(of: Void.self) { group in
        for index in 0..<20 {
          group.addTask { await Self.use(server.channel(), leaving: index) }
        }
      }
    }
    await eventually("files stay open") { Descriptors.all().count < before.files + 100 }
    await eventually("threads stay") { Descriptors.threads() < before.threads + 100 }
    await eventually("connections are left") { Descriptors.connections(to: server.port) == 0 }
  }

  /// One channel in one of the ways in which it may end.
  private static func use(_ channel: Channel, leaving index: Int) async {
    switch index % 4 {
    case 0: _ = await thrown { try await channel.ask("Echo", "x") }
    case 1: _ = await thrown { try await channel.ask("Silent", "", .timeout(.milliseconds(20))) }
    case 2:
      let call = Task { await thrown { try await channel.ask("Silent", "") } }
      await eventually("the call did not start") { channel.callsInFlight == 1 }
      call.cancel()
      _ = await call.value
    default:
      _ = await thrown {
        try await channel.bidirectional(.echo("EchoStream")) {
          try await $0.send(OutgoingMessage("x"))
          _ = try await $0.receive()
        }
      }
    }
    // Half of them are only let go of.
    if index % 8 < 4 { await channel.close() }
  }

  @Test func `Messages are freed with their last reference`() async throws {
    let server = try await EchoServer()
    let channel = server.channel()
    weak var seen: ReceivedMessage?
    do {
      let answer = try await channel.unary(.echo("Large"), OutgoingMessage("1000000"))
      seen = answer.message
      #expect(seen != nil)
    }
    #expect(seen == nil)
    await channel.close()
  }
}
