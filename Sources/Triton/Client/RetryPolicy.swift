internal import Synchronization

/// When a failed call is made again.
///
/// Retries are paid from a budget that finished calls fill, so that a failing server is not
/// drowned; pauses grow and are jittered ("Exponential Backoff And Jitter", full jitter).
public struct RetryPolicy: Sendable, Hashable {
  /// Attempts of one call, the first included; 1 never retries.
  public var attempts = 4
  /// The longest first pause.
  public var firstPause: Duration = .milliseconds(50)
  /// The longest pause.
  public var longestPause: Duration = .seconds(2)
  /// Retries earned by each call that ends well.
  public var budgetPerCall = 0.2
  /// Retries that may be saved up, and that a new client starts with.
  public var budget = 20.0
  /// The classes of errors that may pass by themselves. Size, contract and authorisation do not.
  public var codes: Set<TritonError.Code> = [.connection, .overload, .notReady]

  /// The defaults.
  public init() {}

  /// Every failure is final.
  public static let never: RetryPolicy = {
    var policy = RetryPolicy()
    policy.attempts = 1
    return policy
  }()

  /// The longest pause before an attempt, counted from 2.
  func ceiling(beforeAttempt attempt: Int) -> Duration {
    min(firstPause * (1 << min(attempt - 2, 20)), longestPause)
  }

  /// Whether an error of this class may be tried again for this kind of call.
  ///
  /// A call whose connection broke may have run: only idempotent ones are sent again.
  func allows(_ error: TritonError, isIdempotent: Bool) -> Bool {
    codes.contains(error.code) && (isIdempotent || error.code == .overload)
  }
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
