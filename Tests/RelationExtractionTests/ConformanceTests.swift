import GlobalPointer
import Inference
import Synchronization
import TestSupport
import Testing

/// The suite that all engines pass, over a model by rule; and that it can fail.
@Suite(.timeLimit(.minutes(1))) struct ConformanceTests {
  /// 甲乙, 丙甲丙乙乙, 乙 and 甲甲丙丙乙 between [CLS] and [SEP].
  private static let sentences: [[Int32]] = [
    [2, 4, 5, 3], [2, 6, 4, 6, 5, 5, 3], [2, 5, 3], [2, 4, 4, 6, 6, 5, 3],
  ]

  @Test(arguments: EngineCheck.all)
  func `An engine by rule keeps the seam's word`(_ check: EngineCheck) async throws {
    let subject = EngineSubject(sentences: Self.sentences, threshold: 4) { try RuleEngine() }
    #expect(try await check.violations(subject) == [])
  }

  enum Fault: CaseIterable, Sendable {
    case swapsRows, losesTriple, forgetsThreshold, givesOtherScores, countsTwice, losesRow
    case isDead, turnsOrder
  }

  @Test(arguments: Fault.allCases)
  func `An engine that does not keep it fails the suite`(_ fault: Fault) async throws {
    let subject = EngineSubject(sentences: Self.sentences, threshold: 4) {
      BrokenEngine(base: try RuleEngine(), fault: fault)
    }
    var found: [String] = []
    for check in EngineCheck.all { found += try await check.violations(subject) }
    #expect(!found.isEmpty)
  }

  /// A model by rule with one fault.
  private final class BrokenEngine: InferenceEngine {
    private let rows = Atomic(0)
    let base: RuleEngine
    let fault: Fault
    var shape: ModelShape { base.shape }
    var limits: EngineLimits { base.limits }
    var identity: EngineIdentity { base.identity }
    func close() async {}

    init(base: RuleEngine, fault: Fault) { (self.base, self.fault) = (base, fault) }

    var statistics: EngineStatistics {
      var statistics = EngineStatistics()
      if fault == .countsTwice { statistics.sentences = 2 * rows.load(ordering: .relaxed) }
      return statistics
    }

    func run(_ batch: InferenceBatch, threshold: Float) async throws(InferenceError)
      -> [SentenceCandidates]
    {
      rows.wrappingAdd(batch.rowCount, ordering: .relaxed)
      let lowered = fault == .forgetsThreshold ? min(threshold, 4) : threshold
      var answers = try await base.run(batch, threshold: lowered)
      switch fault {
      case .swapsRows: answers.reverse()
      case .losesTriple where answers.count > 1:
        for row in answers.indices { answers[row].triples = answers[row].triples.dropLast() }
      case .turnsOrder: for row in answers.indices { answers[row].triples.reverse() }
      case .losesRow where answers.count > 2: answers.removeLast()
      case .isDead: throw InferenceError(code: .engineFailure, message: "it is dead")
      default: break
      }
      return answers
    }

    func runScores(of queries: [TripleQuery], in ids: [Int32]) async throws(InferenceError)
      -> [ScoreParts]
    {
      var scores = try await base.runScores(of: queries, in: ids)
      if fault == .givesOtherScores { for place in scores.indices { scores[place].head += 1 } }
      return scores
    }
  }
}
