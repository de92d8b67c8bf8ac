import GlobalPointer
import Inference
import Testing

@testable import EmbeddedEngine

@Suite struct EngineTests {
  static let supported = Precision.allCases.filter(\.isSupported)

  @Test(arguments: Fixture.names, supported)
  func `Dense logits equal PyTorch's`(name: String, precision: Precision) throws {
    let fixture = try Fixture(name)
    let engine = try fixture.engine(precision)
    // BF16 keeps eight bits of every factor; FP32 differs by the order of its sums.
    let tolerance: Float = precision == .bfloat16 ? 0.35 : 1e-4
    for golden in fixture.goldens {
      let sentence = PackedSentences(ids: golden.ids, rows: [0, golden.ids.count])
      let ours = try engine.model.dense(sentence, Workspace())
      for (a, b) in [
        (ours.entity, golden.entity), (ours.head, golden.so_head), (ours.tail, golden.so_tail),
      ] {
        #expect(a.count == b.count)
        let worst = zip(a, b).map { abs($0 - $1) }.max() ?? .infinity
        #expect(worst < tolerance, "\(name) \(precision)")
      }
    }
  }

  @Test(arguments: Fixture.names, supported)
  func `Lazy inference equals a decode of the dense logits`(
    name: String, precision: Precision
  ) async throws {
    let fixture = try Fixture(name)
    let engine = try fixture.engine(precision)
    let batch = InferenceBatch(fixture.goldens.map(\.ids))
    var found = 0
    for threshold: Float in [-1, 0, 0.5] {
      let answers = try await engine.infer(batch, threshold: threshold)
      for (answer, golden) in zip(answers, fixture.goldens) {
        let dense = try engine.model.dense(
          PackedSentences(ids: golden.ids, rows: [0, golden.ids.count]), Workspace())
        let n = golden.ids.count
        let expected = try decodeDense(
          entity: dense.entity.span, .dense(heads: 2, length: n), head: dense.head.span,
          .dense(heads: 3, length: n), tail: dense.tail.span, .dense(heads: 3, length: n),
          predicates: 3, realTokens: n, threshold: threshold)
        expectSame(answer, expected)
        found += answer.triples.count
      }
    }
    #expect(found > 50, "the fixtures must give triples, or this test proves nothing")
  }

  private func expectSame(_ a: SentenceCandidates, _ b: SentenceCandidates) {
    #expect(a.subjects.map(\.span) == b.subjects.map(\.span))
    #expect(a.objects.map(\.span) == b.objects.map(\.span))
    #expect(
      a.triples.map { [$0.predicate, Int($0.subject.start), Int($0.object.end)] }
        == b.triples.map { [$0.predicate, Int($0.subject.start), Int($0.object.end)] })
    for (x, y) in zip(a.triples, b.triples) { #expect(abs(x.parts.score - y.parts.score) < 1e-4) }
  }

  @Test func `An answer does not depend on the rest of the batch`() async throws {
    let fixture = try Fixture("global")
    let engine = try fixture.engine(.reference)
    let rows = fixture.goldens.map(\.ids)
    let together = try await engine.infer(InferenceBatch(rows), threshold: 0)
    for (row, answer) in zip(rows, together) {
      let alone = try await engine.infer(InferenceBatch([row]), threshold: 0)[0]
      expectSame(alone, answer)
    }
  }

  @Test func `Scores of a query are the dense logits at its cells`() async throws {
    let fixture = try Fixture("efficient")
    let engine = try fixture.engine(.reference)
    let golden = fixture.goldens[2]
    let n = golden.ids.count
    let query = TripleQuery(
      predicate: 2, subject: TokenSpan(start: 1, end: 3), object: TokenSpan(start: 5, end: 6))
    let parts = try await engine.scores(of: [query], in: golden.ids)[0]
    #expect(abs(parts.subject - golden.entity[1 * n + 3]) < 1e-4)
    #expect(abs(parts.object - golden.entity[n * n + 5 * n + 6]) < 1e-4)
    #expect(abs(parts.head - golden.so_head[2 * n * n + 1 * n + 5]) < 1e-4)
    #expect(abs(parts.tail - golden.so_tail[2 * n * n + 3 * n + 6]) < 1e-4)
  }

  @Test func `A row that does not fit the model is refused by its number`() async throws {
    let engine = try Fixture("global").engine(.reference)
    for bad: [Int32] in [[2], Array(repeating: 2, count: 21), [2, 19, 3], [2, -1, 3]] {
      await #expect {
        try await engine.infer(InferenceBatch([[2, 3], bad]), threshold: 0)
      } throws: {
        ($0 as? InferenceError)?.row == 1
      }
    }
  }

  @Test func `A task that is cancelled already ends with the code cancelled`() async throws {
    let fixture = try Fixture("global")
    let engine = try fixture.engine(.reference)
    let batch = InferenceBatch(fixture.goldens.map(\.ids))
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try await engine.infer(batch, threshold: 0)
    }
    await #expect { try await task.value } throws: { ($0 as? InferenceError)?.code == .cancelled }
  }
}
