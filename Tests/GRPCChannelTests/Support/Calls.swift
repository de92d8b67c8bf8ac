import Foundation
import GRPCChannel
import Testing

extension RPCMethod {
  /// A method of the test server.
  static func echo(_ name: String) -> RPCMethod { RPCMethod(service: "test.Echo", name: name) }
}

extension RPCOptions {
  static func timeout(_ timeout: Duration) -> RPCOptions {
    var options = RPCOptions()
    options.timeout = timeout
    return options
  }

  static func metadata(_ metadata: Metadata) -> RPCOptions {
    var options = RPCOptions()
    options.metadata = metadata
    return options
  }
}

extension OutgoingMessage {
  convenience init(_ text: String) { self.init(Array(text.utf8)) }
}

extension ReceivedMessage {
  var text: String { String(decoding: bytes, as: UTF8.self) }
}

extension Channel {
  /// A unary call of the test server with texts.
  func ask(_ name: String, _ text: String, _ options: RPCOptions = .init()) async throws -> String {
    try await unary(.echo(name), OutgoingMessage(text), options: options).message.text
  }
}

/// The `RPCError` that `body` throws; records an issue and gives nil when it throws none.
func rpcError<Result>(
  _ location: SourceLocation = #_sourceLocation, _ body: () async throws -> Result
) async -> RPCError? {
  do {
    let result = try await body()
    Issue.record("expected an RPCError, got \(result)", sourceLocation: location)
  } catch let error as RPCError {
    return error
  } catch {
    Issue.record("expected an RPCError, got \(error)", sourceLocation: location)
  }
  return nil
}

/// What `body` throws, whatever it is.
func thrown<Result>(_ body: () async throws -> Result) async -> (any Error)? {
  do { _ = try await body() } catch { return error }
  return nil
}

/// Waits for what nothing announces: a state of the system or of another process.
func eventually(
  within limit: Duration = .seconds(20), _ what: Comment,
  _ location: SourceLocation = #_sourceLocation,
  _ condition: () async throws -> Bool
) async rethrows {
  let deadline = ContinuousClock.now + limit
  while ContinuousClock.now < deadline {
    if try await condition() { return }
    try? await Task.sleep(for: .milliseconds(5))
  }
  Issue.record(what, sourceLocation: location)
}

/// Bytes that differ from place to place; the test server's Large gives the same.
func pattern(_ count: Int) -> [UInt8] {
  var bytes: [UInt8] = []
  bytes.reserveCapacity(count + period.count)
  while bytes.count < count { bytes += period }
  bytes.removeLast(bytes.count - count)
  return bytes
}
private let period = (0..<65_536).map { UInt8(truncatingIfNeeded: $0 * 31 + $0 / 256) }
