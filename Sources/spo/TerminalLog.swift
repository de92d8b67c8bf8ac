internal import Logging

/// Says on standard error what a library tells its log, from notices on: servers that go away and
/// come back.
struct TerminalLog: LogHandler {
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.notice

  /// A logger that writes there.
  static func logger(_ label: String) -> Logger { Logger(label: label) { _ in TerminalLog() } }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let all = metadata.merging(event.metadata ?? [:]) { _, own in own }
    let details = all.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    let level = event.level >= .warning ? "\(event.level): " : ""
    let tail = details.isEmpty ? "" : " (\(details.joined(separator: "; ")))"
    Terminal.say("\(level)\(event.message)\(tail)")
  }
}
