internal import Logging
internal import Triton

/// Says once when a server is lost and once when it answers again, however many requests wait.
struct OutageReport {
  private var begin: ContinuousClock.Instant?
  private var sentAgain = 0
  private var connected: ContinuousClock.Instant?

  /// Returns whether to connect anew: at most twice a second, however many requests wait.
  mutating func lost(
    _ error: TritonError, _ target: String, _ patience: Duration, _ logger: Logger
  ) -> Bool {
    sentAgain += 1
    let now = ContinuousClock.now
    if begin == nil {
      begin = now
      logger.warning(
        "requests to a server were lost; they are sent again",
        metadata: ["server": "\(target)", "for": "\(patience)", "error": "\(error)"])
    }
    guard connected.map({ now - $0 > .milliseconds(500) }) ?? true else { return false }
    connected = now
    return true
  }

  mutating func answered(_ target: String, _ logger: Logger) {
    guard let begin else { return }
    logger.notice(
      "a lost server answers again",
      metadata: [
        "server": "\(target)", "after": "\(ContinuousClock.now - begin)",
        "sent_again": "\(sentAgain)",
      ])
    self = OutageReport()
  }
}
