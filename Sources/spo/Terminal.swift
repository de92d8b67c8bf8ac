internal import Foundation

/// Standard error, where everything goes that is not a result.
///
/// It may be full or closed, as with a log on a full disk or a daemon without one: what cannot be
/// said is left unsaid, and the results go on.
enum Terminal {
  static func say(_ message: String) { write("spo: \(message.terminalSafe)\n") }

  /// Writes bytes as they are.
  static func write(_ text: String) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes {
        Foundation.write(STDERR_FILENO, $0.baseAddress, $0.count)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      bytes = bytes.dropFirst(count)
    }
  }

  static var showsProgress: Bool { isatty(STDERR_FILENO) == 1 }

  /// https://no-color.org: any non-empty NO_COLOR turns color off.
  static var allowsColor: Bool {
    ProcessInfo.processInfo.environment["NO_COLOR", default: ""].isEmpty
  }
}
