public import Inference
internal import GlobalPointer

/// One thing that every engine keeps of the seam's word.
///
/// ```swift
/// @Test(arguments: EngineCheck.all)
/// func `The engine keeps the seam's word`(_ check: EngineCheck) async throws {
///   #expect(try await check.violations(subject) == [])
/// }
/// ```
public struct EngineCheck: Sendable, CustomStringConvertible {
  /// What is kept, as a sentence.
  public let description: String
  private let run: @Sendable (any InferenceEngine, EngineSubject, Findings) async throws -> Void

  init(
    _ description: String,
    _ run: @escaping @Sendable (any InferenceEngine, EngineSubject, Findings) async throws -> Void
  ) {
    (self.description, self.run) = (description, run)
  }

  /// Every check.
  public static let all = requestChecks + answerChecks + lifecycleChecks

  /// In what an engine does not keep it; empty when it does.
  public func violations(_ subject: EngineSubject) async throws -> [String] {
    let findings = Findings()
    let engine = try await subject.make()
    do {
      try await run(engine, subject, findings)
    } catch {
      findings.add("it threw \(error)")
    }
    await engine.close()
    return findings.all
  }
}

/// An engine to be checked.
public struct EngineSubject: Sendable {
  /// Makes an engine.
  public var make: @Sendable () async throws -> any InferenceEngine
  /// At least three different sentences of different lengths that it takes, with triples among them.
  public var sentences: [[Int32]]
  /// A threshold that some of their triples are above, and some logits below.
  public var threshold: Float

  /// An engine, and sentences that it takes.
  public init(
    sentences: [[Int32]], threshold: Float = 0,
    make: @escaping @Sendable () async throws -> any InferenceEngine
  ) {
    (self.make, self.sentences, self.threshold) = (make, sentences, threshold)
  }
}

extension SentenceCandidates {
  /// Whether two answers to one sentence say the same, but for the last digits of their logits.
  func agrees(with other: SentenceCandidates) -> Bool {
    func same(_ a: [ScoredSpan], _ b: [ScoredSpan]) -> Bool {
      a.map(\.span) == b.map(\.span) && zip(a, b).allSatisfy { isSame($0.score, $1.score) }
    }
    let alike = zip(triples, other.triples).allSatisfy { a, b in
      a.predicate == b.predicate && a.subject == b.subject && a.object == b.object
        && a.parts.agrees(with: b.parts)
    }
    return triples.count == other.triples.count && alike && same(subjects, other.subjects)
      && same(objects, other.objects)
  }
}

extension ScoreParts {
  func agrees(with other: ScoreParts) -> Bool {
    isSame(subject, other.subject) && isSame(object, other.object) && isSame(head, other.head)
      && isSame(tail, other.tail)
  }
}

private func isSame(_ a: Float, _ b: Float) -> Bool { abs(a - b) <= 1e-3 * max(1, abs(a)) }
