internal import GlobalPointer
internal import Inference

extension EngineCheck {
  /// What goes in is looked at before anything is done.
  static let requestChecks = [
    EngineCheck("A batch of no rows has no answers") { engine, _, findings in
      let answers = try await engine.infer(InferenceBatch(), threshold: 0)
      findings.expect(answers.isEmpty, "\(answers.count) answers to nothing")
      let scores = try await engine.scores(of: [], in: [0, 0])
      findings.expect(scores.isEmpty, "\(scores.count) scores for nothing")
    },
    EngineCheck("A threshold that is no number is refused") { engine, subject, findings in
      for threshold in [Float.nan, .infinity, -.infinity] {
        await findings.expect(.invalidRequest, for: "the threshold \(threshold)") {
          _ = try await engine.infer(InferenceBatch(subject.sentences), threshold: threshold)
        }
      }
    },
    EngineCheck("A row that is too long or too short is named") { engine, subject, findings in
      let longest = engine.shape.maximumTokens
      for count in [0, 1, longest + 1] {
        let rows = [subject.sentences[0], Array(repeating: 1, count: count)]
        await findings.expect(.invalidRequest, row: 1, for: "a row of \(count) tokens") {
          _ = try await engine.infer(InferenceBatch(rows), threshold: 0)
        }
      }
      for count in [2, longest] {
        let rows = [Array(repeating: Int32(1), count: count)]
        let answers = try await engine.infer(InferenceBatch(rows), threshold: subject.threshold)
        findings.expect(answers.count == 1, "\(answers.count) answers to a row of \(count)")
      }
    },
    EngineCheck("A token id outside the vocabulary is named with its row") {
      engine, subject, findings in
      for id in [-1, Int32.min, Int32(engine.shape.vocabularySize), Int32.max] {
        var rows = subject.sentences
        rows[2][1] = id
        await findings.expect(.invalidRequest, row: 2, for: "token id \(id)") {
          _ = try await engine.infer(InferenceBatch(rows), threshold: 0)
        }
        await findings.expect(.invalidRequest, row: 0, for: "token id \(id)") {
          _ = try await engine.scores(of: [], in: [0, id])
        }
      }
    },
    EngineCheck("A query outside the sentence or the schema is refused") {
      engine, subject, findings in
      let tokens = subject.sentences[0]
      let inside = TokenSpan(start: 0, end: tokens.count - 1)
      let wrong = [
        TripleQuery(predicate: engine.shape.predicateCount, subject: inside, object: inside),
        TripleQuery(predicate: -1, subject: inside, object: inside),
        TripleQuery(
          predicate: 0, subject: TokenSpan(start: 0, end: tokens.count), object: inside),
        TripleQuery(predicate: 0, subject: inside, object: TokenSpan(start: -1, end: 0)),
        TripleQuery(predicate: 0, subject: inside, object: TokenSpan(start: 1, end: 0)),
      ]
      for query in wrong {
        await findings.expect(.invalidRequest, for: "\(query)") {
          _ = try await engine.scores(of: [query], in: tokens)
        }
      }
    },
  ]
}
