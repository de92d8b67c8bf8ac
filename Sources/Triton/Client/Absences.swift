/// What is known of servers, or of models on them, that are away, and who may look for them next.
///
/// A value that changes by what happens and knows no clock of its own. While something is away one
/// call at a time is sent there, so that however many wait, a returning server meets one.
struct Absences {
  /// What is away: a server, or one model of it.
  struct Subject: Hashable {
    var server: Int
    var model: String?
  }

  /// One absence.
  struct Absence {
    var since: ContinuousClock.Instant
    /// The last error that it showed in.
    var error: TritonError
    var failures = 0
    /// When it showed last.
    var lastFailure: ContinuousClock.Instant
    /// When somebody may look next.
    var nextProbe: ContinuousClock.Instant
    var isProbed = false
  }

  /// Where a call goes.
  enum Choice {
    case server(Int, isProbe: Bool)
    /// Nowhere now: all are away, this one with that error.
    case wait(until: ContinuousClock.Instant, TritonError)
  }

  private(set) var all: [Subject: Absence] = [:]
  private let policy: RetryPolicy
  /// How soon a waiting call looks again while another one's probe is on its way.
  static let glance = Duration.milliseconds(100)

  init(_ policy: RetryPolicy) { self.policy = policy }

  /// The first of `order` that is not away; else the first that may be looked for.
  mutating func choose(
    from order: [Int], model: String?, now: ContinuousClock.Instant
  ) -> Choice {
    if let present = order.first(where: { subjects($0, model).isEmpty }) {
      return .server(present, isProbe: false)
    }
    let due = order.first { server in
      subjects(server, model).allSatisfy { !all[$0]!.isProbed && all[$0]!.nextProbe <= now }
    }
    if let due {
      for subject in subjects(due, model) { all[subject]!.isProbed = true }
      return .server(due, isProbe: true)
    }
    let waiting = order.flatMap { subjects($0, model) }.map { all[$0]! }
    let next = waiting.map { $0.isProbed ? now + Self.glance : max($0.nextProbe, now) }.min()!
    return .wait(until: min(next, now + policy.longestPause), waiting[0].error)
  }

  /// An absent server of a list that may be looked for while others answer, with the error that
  /// its absence showed in; claimed by the caller.
  mutating func claimDue(
    _ order: [Int], model: String?, now: ContinuousClock.Instant
  ) -> (server: Int, error: TritonError)? {
    for server in order {
      let away = subjects(server, model)
      guard let first = away.first,
        away.allSatisfy({ !all[$0]!.isProbed && all[$0]!.nextProbe <= now })
      else { continue }
      for subject in away { all[subject]!.isProbed = true }
      return (server, all[first]!.error)
    }
    return nil
  }

  /// Whether a server other than `server` is not away for calls of `model`.
  func hasOther(than server: Int, of count: Int, model: String?) -> Bool {
    (0..<count).contains { $0 != server && subjects($0, model).isEmpty }
  }

  /// A call to it failed because it is away. True when that is news.
  mutating func failed(_ subject: Subject, _ error: TritonError, now: ContinuousClock.Instant)
    -> Bool
  {
    let isNew = all[subject] == nil
    var absence =
      all[subject] ?? Absence(since: now, error: error, lastFailure: now, nextProbe: now)
    absence.failures += 1
    (absence.error, absence.isProbed, absence.lastFailure) = (error, false, now)
    let pause = policy.ceiling(beforeAttempt: absence.failures + 1) * Double.random(in: 0.5...1)
    absence.nextProbe = now + pause
    all[subject] = absence
    return isNew
  }

  /// A probe ended without an answer to whether it is back: the next may look.
  mutating func released(_ server: Int, _ model: String?) {
    for subject in subjects(server, model) { all[subject]!.isProbed = false }
  }

  /// A server answered a call of `model`; the absences that ended. What was sent before the last
  /// failure says nothing: a server that is being stopped finishes what it has.
  mutating func answered(
    _ server: Int, _ model: String?, sentAt: ContinuousClock.Instant
  ) -> [(Subject, Absence)] {
    subjects(server, model).compactMap { subject in
      guard all[subject]!.lastFailure <= sentAt else { return nil }
      return all.removeValue(forKey: subject).map { (subject, $0) }
    }
  }

  private func subjects(_ server: Int, _ model: String?) -> [Subject] {
    var subjects: [Subject] = []
    let whole = Subject(server: server, model: nil)
    if all[whole] != nil { subjects.append(whole) }
    if let model {
      let part = Subject(server: server, model: model)
      if all[part] != nil { subjects.append(part) }
    }
    return subjects
  }
}
