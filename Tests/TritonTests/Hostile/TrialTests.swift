import Foundation
import Inference
import Testing

@testable import RelationServing
@testable import Triton

/// A compact model is taken only when it says what the dense one says, all of it.
@Suite(.timeLimit(.minutes(2))) struct TrialTests {
  /// Each lie, and a word of the verdict on it.
  private static let lies = [
    ("compact-silent", "no span"), ("compact-wordless", "no triple"),
    ("compact-forgetful", "no triple"), ("compact-blinkered", "no span"),
    ("compact-stale", "for logits of"), ("compact-shifted", "span"),
    ("compact-predicate:3", "predicate 3"), ("compact-predicate:-1", "predicate -1"),
    ("compact-predicate:\(Int32.max)", "predicate"), ("compact-token:15", "span"),
    ("compact-token:-1", "span"), ("compact-token:\(Int32.min)", "span"),
    ("compact-span:0", "span"), ("compact-span:\(Int32.max)", "span"),
    ("compact-twice", "one triple twice"), ("compact-nan-span", "nan"),
    ("compact-nan-triple", "nan"), ("compact-uncounted", "not finite"),
  ]

  @Test(arguments: lies)
  func
    `Bug: a compact export that is stale, silent or out of range was taken, or ended the program`(
      _ lie: String, _ word: String
    ) async throws
  {
    let engine = try await TritonEngine.hostile(lie)
    #expect(!engine.plan.primary.route.isCompact)
    let verdict = engine.plan.options.first { $0.model == "dense_compact" }?.verdict ?? ""
    #expect(verdict.contains("dense") && verdict.contains(word), "\(verdict)")
    try await engine.expectRight(someSentences)
  }

  @Test(arguments: lies)
  func `A lying compact model that was named itself is left for the dense one behind`(
    _ lie: String, _ word: String
  ) async throws {
    // The header names a lie about this model, so that it is found as a companion too.
    let engine = try await TritonEngine.hostile(lie, model: "dense_compact")
    #expect(engine.plan.primary.model == "dense", "\(engine.plan.explanation)")
    try await engine.expectRight(someSentences)
  }

  /// Those that one answer shows, without a trial.
  @Test(
    arguments: lies.map(\.0).filter {
      $0.contains(":") || $0.contains("nan") || $0.contains("twice")
    })
  func `A compact model that lies after its trial is asked again densely, and it is told`(
    _ lie: String
  ) async throws {
    let engine = try await TritonEngine.hostile(lie, of: 777)
    #expect(engine.plan.primary.route.isCompact, "\(engine.plan.explanation)")
    try await engine.expectRight([[101, 777, 102]], threshold: -50)
    #expect(engine.statistics.fellBack == 1)
    #expect(engine.statistics.failure?.contains("dense_compact named") == true)
  }

  @Test func `Bug: an answer of another version was taken without a word`() async throws {
    await expectFailure(.contract, saying: "answered as version \"99\", expected 1") {
      _ = try await TritonEngine.hostile("version:99")
    }
    // Loaded anew in the middle of a run.
    let engine = try await TritonEngine.hostile("version:2", of: 777)
    try await engine.expectRight(someSentences)
    await expectFailure(.contract, saying: "begin again") {
      try await engine.expectRight([[101, 777, 102]])
    }
    #expect(engine.identity.version == "1")
  }

  @Test func `Metadata of another model are refused`() async {
    await expectRefused(saying: "another") {
      _ = try await TritonEngine.hostile("metadata-name")
    }
  }
}
