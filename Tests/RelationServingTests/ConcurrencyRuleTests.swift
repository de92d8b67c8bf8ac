import Testing

@testable import RelationServing
@testable import Triton

/// The rule against a simulated server: `instances` requests run, the others wait in line.
@Suite struct ConcurrencyRuleTests {
  private static let work = ConcurrencyRule.Work(model: "m", tokens: 512)

  /// The limit after some round trips at a server whose requests take 10 ms each.
  private func settle(_ rule: inout ConcurrencyRule, instances: Int, rounds: Int = 400) -> Int {
    for _ in 0..<rounds {
      let inFlight = rule.limit
      let turns = max(1, Double(inFlight) / Double(instances))
      rule.answered(Self.work, after: .milliseconds(10) * turns, inFlight: inFlight)
    }
    return rule.limit
  }

  @Test(arguments: [1, 2, 8])
  func `It settles where every instance is busy and few requests wait`(_ instances: Int) {
    var rule = ConcurrencyRule(instances: instances, bounds: instances...16 * instances)
    let limit = settle(&rule, instances: instances)
    #expect(limit > instances && limit <= 3 * instances + 1, "\(limit)")
  }

  @Test func `It grows while latency does not`() {
    var rule = ConcurrencyRule(instances: 1, bounds: 1...16)
    for _ in 0..<400 {
      rule.answered(Self.work, after: .milliseconds(10), inFlight: rule.limit)
    }
    #expect(rule.limit == 16)
  }

  @Test func `It does not grow on answers that did not need the limit`() {
    var rule = ConcurrencyRule(instances: 4, bounds: 4...64)
    for _ in 0..<400 { rule.answered(Self.work, after: .milliseconds(10), inFlight: 1) }
    #expect(rule.limit == 8)
  }

  @Test func `An overload halves it once a round trip, and never below the floor`() {
    var rule = ConcurrencyRule(instances: 2, bounds: 2...64)
    for _ in 0..<2_000 {
      rule.answered(Self.work, after: .milliseconds(10), inFlight: rule.limit)
    }
    let (before, sent) = (rule.limit, ContinuousClock.now)
    for _ in 0..<10 { rule.overloaded(sent: sent) }
    #expect(rule.limit == before / 2)
    for _ in 0..<10 { rule.overloaded(sent: .now) }
    #expect(rule.limit == 2)
  }

  @Test func `Longer requests are not mistaken for waiting ones`() {
    var rule = ConcurrencyRule(instances: 1, bounds: 1...16)
    for round in 0..<400 {
      let work = ConcurrencyRule.Work(model: "m", tokens: 100 << (round % 4))
      rule.answered(work, after: .milliseconds(10 << (round % 4)), inFlight: rule.limit)
    }
    #expect(rule.limit == 16)
  }

  @Test func `A number that the user chose stays`() {
    var rule = ConcurrencyRule(instances: 1, bounds: 5...5)
    #expect(settle(&rule, instances: 1) == 5)
    rule.overloaded(sent: .now)
    #expect(rule.limit == 5)
  }
}
