/// When a failed call is made again.
///
/// Two things end differently. A server that *refuses* (overload, a failure of its own) is asked
/// again a few times: `attempts`, paid from a budget that calls which end well fill, so that a
/// failing server is not drowned. A server that is *away* (no connection, not ready, model being
/// loaded anew) is waited for, as long as `patience` lasts and at no cost to it: all calls wait
/// together while one of them at a time looks whether it is back. With several servers in a list
/// the others take over at once.
///
/// Pauses grow and are jittered ("Exponential Backoff And Jitter").
public struct RetryPolicy: Sendable, Hashable {
  /// Attempts of one call, the first included, that a server refuses; 1 never retries.
  public var attempts = 4
  /// How long one call waits for servers that were there before and are away, all its waits
  /// together, beyond its timeout. A server that never answered is not waited for: its address is
  /// more likely wrong; see `TritonClient.waitUntilReady`.
  public var patience: Duration = .seconds(120)
  /// What one server of several is given for an answer before another is tried; nil gives it the
  /// call's whole timeout.
  public var attemptTimeout: Duration?
  /// The longest first pause.
  public var firstPause: Duration = .milliseconds(50)
  /// The longest pause.
  public var longestPause: Duration = .seconds(2)
  /// Retries earned by each call that ends well.
  public var budgetPerCall = 0.2
  /// Retries that may be saved up, and that a new client starts with.
  public var budget = 20.0
  /// The classes of errors that may pass by themselves. Size, contract and authorization do not;
  /// a deadline only with another server.
  public var codes: Set<TritonError.Code> = [
    .connection, .overload, .notReady, .cancelled, .serverFailure, .deadline,
  ]

  /// The defaults.
  public init() {}

  /// Every failure is final.
  public static let never: RetryPolicy = {
    var policy = RetryPolicy()
    (policy.attempts, policy.patience, policy.codes) = (1, .zero, [])
    return policy
  }()

  /// The longest pause before an attempt, counted from 2.
  func ceiling(beforeAttempt attempt: Int) -> Duration {
    min(firstPause * (1 << min(max(attempt - 2, 0), 20)), longestPause)
  }

  /// What follows a failed attempt; pure, so that a table can hold it.
  func verdict(on failure: FailedAttempt) -> RetryVerdict {
    guard codes.contains(failure.code), failure.timeLeft > .zero else { return .giveUp }
    // A call whose connection broke may have run: only idempotent ones are sent again.
    guard failure.isIdempotent || failure.wasNotRun else { return .giveUp }
    if failure.code.meansAbsence || failure.code == .deadline {
      if failure.hasOtherServer { return .elsewhere }
      guard failure.code != .deadline || failure.mayMeetOther else { return .giveUp }
      let waits =
        failure.code != .deadline && failure.wasServed && failure.attemptsAllowed > 1
        && failure.patience > .zero
      if waits { return failure.lost < failure.patience ? .wait : .giveUp }
    }
    return failure.attempt < failure.attemptsAllowed ? .again : .giveUp
  }
}

/// A failed attempt, as far as it matters to what follows.
struct FailedAttempt {
  /// The error's class.
  var code: TritonError.Code
  /// Whether a second run does no harm.
  var isIdempotent: Bool
  /// Whether the server certainly did not begin with it.
  var wasNotRun = false
  /// Attempts so far that count, this one included, and how many there may be.
  var attempt = 1
  var attemptsAllowed: Int
  /// Time lost so far to servers that were away, and how much of it is borne.
  var lost: Duration = .zero
  var patience: Duration
  /// Until the call's end.
  var timeLeft: Duration = .seconds(60)
  /// Whether another server of the list is not known to be away.
  var hasOtherServer = false
  /// Whether gRPC's core may take another address of the same name for the next attempt.
  var mayMeetOther = false
  /// Whether this client has had an answer before, from the model where a model is concerned.
  var wasServed = false
}

/// What follows a failed attempt.
enum RetryVerdict: Equatable {
  /// The error goes to the caller.
  case giveUp
  /// Another server at once; this one is away for all calls.
  case elsewhere
  /// Together with all other calls, until a server is back.
  case wait
  /// After a pause of its own, if the budget pays.
  case again
}

extension TritonError.Code {
  /// Whether the server, or its model, is away and may come back by itself.
  var meansAbsence: Bool { self == .connection || self == .notReady }
}

/// The retries that a client may still spend.
struct RetryBudget {
  private let policy: RetryPolicy
  private var left: Double

  init(_ policy: RetryPolicy) { (self.policy, left) = (policy, policy.budget) }

  mutating func earn() { left = min(policy.budget, left + policy.budgetPerCall) }

  mutating func spend() -> Bool {
    guard left >= 1 else { return false }
    left -= 1
    return true
  }
}
