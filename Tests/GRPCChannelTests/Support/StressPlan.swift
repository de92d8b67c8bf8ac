import GRPCChannel
import Synchronization
import TestSupport

/// Numbers that a seed repeats: splitmix64.
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

/// One call of the stress test, and which ends it may come to.
struct Plan: Sendable {
  let method: String
  let count: Int
  let timeout: Duration
  /// Nil leaves the task alone; zero cancels it before it has begun.
  let cancelAfter: Duration?

  /// What a call throws that was answered with something else than it asked for.
  struct WrongAnswer: Error { let description: String }

  private static let methods = [
    "Echo", "Echo", "Echo", "Slow", "Large", "Fail", "Silent", "Deaf", "EchoStream", "EchoStream",
    "Messages", "Swallow", "Abandoned",
  ]

  init(_ random: inout SeededRandom) {
    method = Self.methods.randomElement(using: &random)!
    count = Int.random(in: 0...20, using: &random)
    let isShort =
      ["Silent", "Deaf"].contains(method) || Int.random(in: 0..<10, using: &random) == 0
    timeout = isShort ? .milliseconds(Int.random(in: 1...40, using: &random)) : .seconds(60)
    cancelAfter =
      Int.random(in: 0..<5, using: &random) == 0
      ? .milliseconds(Int.random(in: 0...10, using: &random)) : nil
  }

  func run(_ channel: Channel) async throws {
    switch method {
    case "Echo": try await unary(channel, "Echo", "echo \(count)", expecting: "echo \(count)")
    case "Slow": try await unary(channel, "Slow", "\(count)", expecting: "\(count)")
    case "Fail": try await unary(channel, "Fail", "9 on purpose", expecting: nil)
    case "Silent", "Deaf": try await unary(channel, method, "", expecting: nil)
    case "Large": try await large(channel)
    default: try await stream(channel)
    }
  }

  private func unary(
    _ channel: Channel, _ name: String, _ text: String, expecting expected: String?
  ) async throws {
    let answer = try await channel.ask(name, text, .timeout(timeout))
    guard answer == expected else { throw WrongAnswer(description: "\(name): \(answer)") }
  }

  private func large(_ channel: Channel) async throws {
    let answer = try await channel.unary(
      .echo("Large"), OutgoingMessage("\(count * 10_000)"), options: .timeout(timeout))
    guard answer.message.bytes == pattern(count * 10_000) else {
      throw WrongAnswer(description: "Large \(count): \(answer.message.count) bytes")
    }
  }

  private func stream(_ channel: Channel) async throws {
    let name = method == "Abandoned" ? "EchoStream" : method
    try await channel.bidirectional(.echo(name), options: .timeout(timeout)) { stream in
      switch method {
      case "Messages":
        try await stream.send(OutgoingMessage("\(count) 0"))
        try await expect(stream, (0..<count).map(String.init))
      case "Swallow":
        for index in 0..<count { try await stream.send(OutgoingMessage("\(index % 10)")) }
        try await stream.finishSending()
        try await expect(stream, ["\(count) \(count)"])
      case "Abandoned":
        try await stream.send(OutgoingMessage("never read"))
      default:
        async let sending: Void = {
          for index in 0..<count { try await stream.send(OutgoingMessage("\(index)")) }
          try await stream.finishSending()
        }()
        try await expect(stream, (0..<count).map(String.init))
        try await sending
      }
    }
  }

  private func expect(_ stream: BidirectionalCall, _ expected: [String]) async throws {
    var received: [String] = []
    while let message = try await stream.receive() { received.append(message.text) }
    guard received == expected else { throw WrongAnswer(description: "\(method): \(received)") }
  }

  /// Why a call may not have ended like this; nil when it may.
  func fault(of result: Result<Void, any Error>) -> String? {
    guard case .failure(let error) = result else { return nil }
    switch error {
    case is CancellationError: return cancelAfter == nil ? "\(method) says cancelled" : nil
    case let error as RPCError:
      var allowed: Set<StatusCode> = [.unavailable, .cancelled]  // server killed, channel closed
      if timeout < .seconds(1) { allowed.insert(.deadlineExceeded) }
      if method == "Fail" { allowed.insert(.failedPrecondition) }
      return allowed.contains(error.code) ? nil : "\(method): \(error)"
    default: return "\(method): \(error)"
    }
  }
}

/// Channels that are replaced while they are in use.
final class ChannelPool: Sendable {
  private let server: EchoServer
  private let channels: Mutex<[Channel]>

  init(_ server: EchoServer) {
    self.server = server
    channels = Mutex((0..<4).map { _ in server.channel() })
  }

  func any(_ random: inout SeededRandom) -> Channel {
    let index = Int.random(in: 0..<4, using: &random)
    return channels.withLock { $0[index] }
  }

  /// Closes a channel with its calls in flight; its place is taken at once.
  func replaceOne(_ random: inout SeededRandom) async {
    let index = Int.random(in: 0..<4, using: &random)
    let next = server.channel()
    let old = channels.withLock { channels in
      defer { channels[index] = next }
      return channels[index]
    }
    await old.close()
  }

  func resetBackoff() { for channel in channels.withLock({ $0 }) { channel.resetConnectBackoff() } }

  /// Closes all and lets go of them; gives the calls that are still in flight.
  func closeAll() async -> Int {
    let all = channels.withLock { channels in
      defer { channels = [] }
      return channels
    }
    for channel in all { await channel.close() }
    return all.reduce(0) { $0 + $1.callsInFlight }
  }
}
