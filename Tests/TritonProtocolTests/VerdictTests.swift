import Testing

@testable import Triton

/// What follows a failed attempt, as a table: the policy is a value without a clock.
@Suite struct VerdictTests {
  private static let policy = RetryPolicy()

  private static func attempt(
    _ code: TritonError.Code, _ change: (inout FailedAttempt) -> Void = { _ in }
  ) -> FailedAttempt {
    var attempt = FailedAttempt(
      code: code, isIdempotent: true, attemptsAllowed: 4, patience: .seconds(120))
    attempt.wasServed = true
    change(&attempt)
    return attempt
  }

  @Test("Each class of error has its way, for a server that answered before")
  func classes() {
    let table: [(TritonError.Code, RetryVerdict)] = [
      (.connection, .wait), (.notReady, .wait),
      (.overload, .again), (.cancelled, .again), (.serverFailure, .again),
      (.deadline, .giveUp), (.loadFailed, .giveUp), (.unknownModel, .giveUp),
      (.contract, .giveUp), (.size, .giveUp), (.authorization, .giveUp),
      (.invalidRequest, .giveUp), (.unsupported, .giveUp), (.sharedMemory, .giveUp),
      (.regionInUse, .giveUp), (.serverBug, .giveUp),
    ]
    for (code, verdict) in table {
      #expect(Self.policy.verdict(on: Self.attempt(code)) == verdict, "\(code)")
    }
  }

  @Test("With another server an absence and a deadline go there at once, a refusal does not")
  func elsewhere() {
    for code in [TritonError.Code.connection, .notReady, .deadline] {
      let verdict = Self.policy.verdict(on: Self.attempt(code) { $0.hasOtherServer = true })
      #expect(verdict == .elsewhere, "\(code)")
    }
    let full = Self.attempt(.overload) { $0.hasOtherServer = true }
    #expect(Self.policy.verdict(on: full) == .again)
    // The core may take another address of a name: that is a retry like others.
    let named = Self.attempt(.deadline) { $0.mayMeetOther = true }
    #expect(Self.policy.verdict(on: named) == .again)
  }

  @Test("A call that may have run is sent again only when a second run does no harm")
  func idempotency() {
    for code in [TritonError.Code.connection, .notReady, .cancelled, .serverFailure, .overload] {
      let verdict = Self.policy.verdict(on: Self.attempt(code) { $0.isIdempotent = false })
      #expect(verdict == .giveUp, "\(code)")
      let untouched = Self.attempt(code) { ($0.isIdempotent, $0.wasNotRun) = (false, true) }
      #expect(Self.policy.verdict(on: untouched) != .giveUp, "\(code)")
    }
  }

  @Test("Attempts bound refusals, patience bounds waits, and neither bounds the other")
  func bounds() {
    let worn = Self.attempt(.overload) { $0.attempt = 4 }
    #expect(Self.policy.verdict(on: worn) == .giveUp)
    let waiting = Self.attempt(.connection) { ($0.attempt, $0.lost) = (4, .seconds(119)) }
    #expect(Self.policy.verdict(on: waiting) == .wait)
    let tired = Self.attempt(.connection) { $0.lost = .seconds(120) }
    #expect(Self.policy.verdict(on: tired) == .giveUp)
    let late = Self.attempt(.overload) { $0.timeLeft = .zero }
    #expect(Self.policy.verdict(on: late) == .giveUp)
    let single = Self.attempt(.connection) { $0.attemptsAllowed = 1 }
    #expect(Self.policy.verdict(on: single) == .giveUp)
  }

  @Test("A server that never answered is tried a few times and not waited for")
  func neverServed() {
    let first = Self.attempt(.connection) { $0.wasServed = false }
    #expect(Self.policy.verdict(on: first) == .again)
    let last = Self.attempt(.connection) { ($0.wasServed, $0.attempt) = (false, 4) }
    #expect(Self.policy.verdict(on: last) == .giveUp)
  }

  @Test("A call without patience is tried a few times, as one for a server that never answered")
  func impatient() {
    for code in [TritonError.Code.connection, .notReady] {
      let first = Self.attempt(code) { $0.patience = .zero }
      #expect(Self.policy.verdict(on: first) == .again, "\(code)")
      let last = Self.attempt(code) { ($0.patience, $0.attempt) = (.zero, 4) }
      #expect(Self.policy.verdict(on: last) == .giveUp, "\(code)")
    }
  }

  @Test("The policy that never retries gives up on everything")
  func never() {
    for code in RetryPolicy().codes {
      let attempt = Self.attempt(code) { $0.hasOtherServer = true }
      #expect(RetryPolicy.never.verdict(on: attempt) == .giveUp, "\(code)")
    }
  }
}

/// Who may look for what is away.
@Suite struct AbsencesTests {
  private static let error = TritonError(code: .connection, message: "refused")
  private let begin = ContinuousClock.now

  private func away(_ servers: Int..., policy: RetryPolicy = .init()) -> Absences {
    var absences = Absences(policy)
    for server in servers {
      _ = absences.failed(.init(server: server, model: nil), Self.error, now: begin)
    }
    return absences
  }

  private func server(_ choice: Absences.Choice) -> (Int, Bool)? {
    if case .server(let server, let isProbe) = choice { (server, isProbe) } else { nil }
  }

  @Test("Bug: of a thousand calls that meet an absent server one looks for it and all others wait")
  func oneProbe() {
    var absences = away(0)
    let later = begin + .seconds(60)
    let choices = (0..<1_000).map { _ in absences.choose(from: [0], model: "m", now: later) }
    #expect(choices.compactMap(server).count == 1)
    // Until the probe ends: then one more, when its pause is over and not before.
    _ = absences.failed(.init(server: 0, model: nil), Self.error, now: later)
    #expect(server(absences.choose(from: [0], model: "m", now: later)) == nil)
    let next = later + .seconds(60)
    let again = (0..<1_000).map { _ in absences.choose(from: [0], model: "m", now: next) }
    #expect(again.compactMap(server).count == 1)
  }

  @Test("Pauses between probes grow to the longest and begin anew after an answer")
  func pauses() {
    var policy = RetryPolicy()
    (policy.firstPause, policy.longestPause) = (.seconds(1), .seconds(8))
    var absences = away(policy: policy)
    func pause() -> Duration {
      _ = absences.failed(.init(server: 0, model: nil), Self.error, now: begin)
      return absences.all[.init(server: 0, model: nil)]!.nextProbe - begin
    }
    for longest in [1, 2, 4, 8, 8, 8] as [Int64] {
      let pause = pause()
      #expect(pause <= .seconds(longest) && pause >= .seconds(longest) / 2, "\(pause)")
    }
    #expect(absences.answered(0, nil, sentAt: begin).count == 1)
    let first = pause()
    #expect(first <= .seconds(1))
  }

  @Test("A present server is chosen before an absent one, in the order given")
  func presentFirst() {
    var absences = away(0)
    #expect(server(absences.choose(from: [0, 1], model: nil, now: begin))! == (1, false))
    #expect(server(absences.choose(from: [2, 1, 0], model: nil, now: begin))! == (2, false))
    #expect(absences.hasOther(than: 1, of: 3, model: nil))
    #expect(!absences.hasOther(than: 1, of: 2, model: nil))
  }

  @Test("A model's absence on a server holds up that model alone")
  func modelAlone() {
    var absences = Absences(RetryPolicy())
    _ = absences.failed(.init(server: 0, model: "m"), Self.error, now: begin)
    #expect(server(absences.choose(from: [0], model: "other", now: begin))! == (0, false))
    #expect(server(absences.choose(from: [0], model: "m", now: begin)) == nil)
    #expect(absences.answered(0, "other", sentAt: begin).isEmpty)
    #expect(absences.answered(0, "m", sentAt: begin).count == 1 && absences.all.isEmpty)
  }

  @Test("An answer to what was sent before the failure does not end an absence")
  func answeredLate() {
    var absences = away(0)
    #expect(absences.answered(0, nil, sentAt: begin - .seconds(1)).isEmpty)
    #expect(absences.answered(0, nil, sentAt: begin + .seconds(1)).count == 1)
  }

  @Test("A probe that is cancelled lets the next one look")
  func released() {
    var absences = away(0)
    let later = begin + .seconds(60)
    #expect(server(absences.choose(from: [0], model: nil, now: later)) != nil)
    #expect(server(absences.choose(from: [0], model: nil, now: later)) == nil)
    absences.released(0, nil)
    #expect(server(absences.choose(from: [0], model: nil, now: later)) != nil)
  }

  @Test("One call in a while looks for an absent server although others answer")
  func revisited() {
    var absences = away(0)
    #expect(absences.claimDue([1, 0], model: nil, now: begin) == nil)
    let later = begin + .seconds(60)
    #expect(absences.claimDue([1, 0], model: nil, now: later)?.server == 0)
    #expect(absences.claimDue([1, 0], model: nil, now: later) == nil)
  }
}
