internal import Logging
internal import Triton

/// Says once when a server is lost and once when it answers again, however many requests wait.
struct OutageReport {
  private var begin: ContinuousClock.Instant?
  private var sentAgain = 0

  mutating func lost(_ error: TritonError, _ target: String, _ patience: Duration, _ logger: Logger)
  {
    sentAgain += 1
    guard begin == nil else { return }
    begin = .now
    logger.warning(
      "requests to a server were lost; they are sent again",
      metadata: ["server": "\(target)", "for": "\(patience)", "error": "\(error)"])
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
