import Foundation
import GRPCChannel
import Synchronization
import Testing
import Triton

/// A server that lies on demand (`server.py`), in a process that ends with this one.
final class HostileServer: Sendable {
  private let process: Process
  private let input: Pipe
  let port: Int

  static func shared() async throws -> HostileServer { try await started.value }
  private static let started = Task { try await HostileServer() }

  private init() async throws {
    let python = try #require(
      ProcessInfo.processInfo.environment["SPO_CLIENT_PYTHON"],
      "set SPO_CLIENT_PYTHON to a Python with tritonclient[grpc], as Scripts/test does")
    let (process, input, output) = (Process(), Pipe(), Pipe())
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = [
      Project.root.appending(path: "Tests/TritonTests/Hostile/server.py").path
    ]
    (process.standardInput, process.standardOutput) = (input, output)
    try process.run()
    (self.process, self.input) = (process, input)
    // Other children must not hold it open, or the server would outlive this process.
    _ = fcntl(input.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
    let line = await Self.line(of: output.fileHandleForReading)
    port = try #require(Int(line), "the hostile server gave no port")
  }

  /// The first line, read on a thread of its own: the pool's threads may not block.
  private static func line(of output: FileHandle) async -> String {
    await withCheckedContinuation { continuation in
      Thread {
        var line = Data()
        while let byte = try? output.read(upToCount: 1), !byte.isEmpty, byte != Data("\n".utf8) {
          line += byte
        }
        continuation.resume(returning: String(decoding: line, as: UTF8.self))
      }.start()
    }
  }

  /// A client to whom it lies.
  ///
  /// - Parameters:
  ///   - lie: see `server.py`; empty for an honest server.
  ///   - token: lies about answers are told of sentences with it; nil for all.
  func client(
    _ lie: String, of token: Int32? = nil,
    _ change: (inout TritonClient.Configuration) -> Void = { _ in }
  ) throws -> TritonClient {
    var configuration = TritonClient.Configuration.once
    configuration.metadata.append("lie", lie)
    configuration.metadata.append("run", UUID().uuidString)
    if let token { configuration.metadata.append("of", "\(token)") }
    change(&configuration)
    return try TritonClient("127.0.0.1:\(port)", configuration: configuration)
  }
}
