internal import Foundation
internal import Synchronization

/// A gRPC server in a process of its own; killed with its last reference.
///
/// It also ends when its standard input does, so that none outlives a crashed test run.
package final class EchoServer: Sendable {
  package let port: UInt16
  private let arguments: [String]
  private let process: Mutex<Child>

  package init(_ arguments: String...) async throws {
    let child = try await Child.started(arguments)
    (self.arguments, port) = (arguments, child.port)
    process = Mutex(child)
  }

  deinit { kill() }

  package var address: String { "127.0.0.1:\(port)" }

  /// Ends the process at once, as a crash would; returns when the system has taken it away.
  package func kill() { process.withLock { $0.kill() } }

  /// Stops it: the system still takes connections for it, but nobody answers. Until `resume`.
  package func pause() { process.withLock { $0.signal(SIGSTOP) } }
  package func resume() { process.withLock { $0.signal(SIGCONT) } }

  /// Starts it again on the same port. The port may be held for a moment by a dying connection.
  package func restart() async throws {
    let again = arguments + ["--port", "\(port)"]
    for attempt in 1... {
      do {
        let child = try await Child.started(again)
        process.withLock { $0 = child }
        return
      } catch let fault as Child.Fault where attempt < 50 {
        _ = fault
        try await Task.sleep(for: .milliseconds(50))
      }
    }
  }
}

/// One run of the server's program.
private struct Child: Sendable {
  let id: pid_t
  let port: UInt16
  private let input: Int32
  private var isRunning = true

  struct Fault: Error, CustomStringConvertible { let description: String }

  private static let program = Bundle.main.bundleURL.deletingLastPathComponent()
    .appendingPathComponent("debug/EchoServer").path

  /// Waits for the port on a thread of its own: the pool's threads may not block.
  static func started(_ arguments: [String]) async throws -> Child {
    try await withCheckedThrowingContinuation { continuation in
      Thread { continuation.resume(with: Result { try Child(arguments) }) }.start()
    }
  }

  private init(_ arguments: [String]) throws {
    let (ours, theirs) = try Self.connection()
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, theirs, 0)
    posix_spawn_file_actions_adddup2(&actions, theirs, 1)
    var words = ([Self.program] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var child: pid_t = 0
    let status = posix_spawn(&child, Self.program, &actions, nil, &words, environ)
    close(theirs)
    guard status == 0 else {
      close(ours)
      throw Fault(description: "cannot start \(Self.program): \(String(cString: strerror(status)))")
    }
    guard let port = Self.line(from: ours).flatMap({ UInt16($0) }) else {
      Self.end(child, ours)
      throw Fault(description: "\(Self.program) \(arguments) gave no port")
    }
    (id, input, self.port) = (child, ours, port)
  }

  mutating func kill() {
    guard isRunning else { return }
    isRunning = false
    Self.end(id, input)
  }

  func signal(_ signal: Int32) { Glibc.kill(id, signal) }

  private static func end(_ child: pid_t, _ input: Int32) {
    Glibc.kill(child, SIGKILL)
    var status: Int32 = 0
    waitpid(child, &status, 0)
    close(input)
  }

  /// Its standard input and output. Closed in every other child: one that inherited our end would
  /// keep a server alive.
  private static func connection() throws -> (ours: Int32, theirs: Int32) {
    var ends: [Int32] = [0, 0]
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
      throw Fault(description: "no socket pair: \(String(cString: strerror(errno)))")
    }
    return (ends[0], ends[1])
  }

  /// The first line, or nil when the program ends or says nothing for 30 s.
  private static func line(from descriptor: Int32) -> String? {
    var line: [UInt8] = []
    var byte: UInt8 = 0
    var waited = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    while poll(&waited, 1, 30_000) > 0, read(descriptor, &byte, 1) == 1 {
      if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
      line.append(byte)
    }
    return nil
  }
}
