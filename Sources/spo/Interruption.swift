internal import Dispatch
internal import Foundation
internal import Triton

/// SIGINT, SIGTERM and SIGHUP as cancellation of the running command.
///
/// The first one cancels; a command that has not ended some seconds later, such as one that waits in
/// a system call, is ended, and a second signal ends it at once. Whatever ends it, no shared memory
/// of this process stays behind.
enum Interruption {
  /// How long a cancelled command may take to end by itself.
  private static let grace = DispatchTimeInterval.seconds(5)

  static func run(_ body: @escaping @Sendable () async throws -> Void) async throws {
    // nohup ignores SIGHUP for its program. (A shell does so with SIGINT for what it runs in the
    // background, where kill -INT is still meant.)
    let signals = [SIGINT, SIGTERM] + (isIgnored(SIGHUP) ? [] : [SIGHUP])
    // Swift's own handler would write a backtrace where a user asks for an end.
    signal(SIGQUIT, SIG_DFL)
    let task = Task { try await body() }
    let queue = DispatchQueue(label: "spo.signals")
    let state = State()
    let sources = signals.map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler {
        guard state.isFirst else { end("ended at once by a second signal") }
        task.cancel()
        queue.asyncAfter(deadline: .now() + grace) { end("ended: it did not stop by itself") }
      }
      source.resume()
      return source
    }
    defer { for source in sources { source.cancel() } }
    try await task.value
  }

  private static func isIgnored(_ number: Int32) -> Bool {
    var action = sigaction()
    sigaction(number, nil, &action)
    return action.__sigaction_handler.sa_handler.map { unsafeBitCast($0, to: Int.self) } == 1
  }

  private static func end(_ reason: String) -> Never {
    SystemRegion.unlinkAll()
    Terminal.say("\(reason); the lines written so far are whole but for the last")
    _exit(ExitStatus.interrupted)
  }

  /// Touched on the signals' queue only.
  private final class State: @unchecked Sendable {
    private var count = 0
    var isFirst: Bool {
      count += 1
      return count == 1
    }
  }
}
