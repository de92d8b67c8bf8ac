internal import GlobalPointer
internal import Inference

extension EngineCheck {
  /// What comes out belongs to what went in.
  static let answerChecks = [
    EngineCheck("Each row has its own answer, in the batch's order") { engine, subject, findings in
      var alone: [SentenceCandidates] = []
      for sentence in subject.sentences {
        alone += try await engine.infer(
          InferenceBatch([sentence]), threshold: subject.threshold)
      }
      findings.expect(
        alone.contains { !$0.triples.isEmpty }, "none of the subject's sentences has a triple")
      for rows in [
        subject.sentences, subject.sentences.reversed(), subject.sentences + subject.sentences,
      ] {
        let answers = try await engine.infer(InferenceBatch(rows), threshold: subject.threshold)
        findings.expect(
          answers.count == rows.count, "\(answers.count) answers to \(rows.count) rows")
        for (row, answer) in zip(rows, answers) {
          let place = subject.sentences.firstIndex(of: row)!  // rows are made of them
          findings.expect(
            answer.agrees(with: alone[place]), "sentence \(place) is answered otherwise in a batch")
        }
      }
    },
    EngineCheck("As many rows as a call may hold are answered, each") { engine, subject, findings in
      let rows = (0..<min(engine.limits.batchRows, 40)).map {
        subject.sentences[$0 % subject.sentences.count]
      }
      let answers = try await engine.infer(InferenceBatch(rows), threshold: subject.threshold)
      findings.expect(answers.count == rows.count, "\(answers.count) answers to \(rows.count)")
    },
    EngineCheck("A padded length that is asked for changes no answer") {
      engine, subject, findings in
      var batch = InferenceBatch(subject.sentences)
      let plain = try await engine.infer(batch, threshold: subject.threshold)
      batch.paddedLength = engine.shape.maximumTokens
      let padded = try await engine.infer(batch, threshold: subject.threshold)
      findings.expect(
        zip(plain, padded).allSatisfy { $0.agrees(with: $1) }, "the padded answers are others")
    },
    EngineCheck("All is above the threshold, in order, and within its sentence") {
      engine, subject, findings in
      for threshold in [subject.threshold, subject.threshold + 1] {
        let answers = try await engine.infer(
          InferenceBatch(subject.sentences), threshold: threshold)
        for (sentence, answer) in zip(subject.sentences, answers) {
          look(at: answer, to: sentence, threshold, engine.shape, findings)
        }
      }
    },
    EngineCheck("A higher threshold gives a part of what a lower one gives") {
      engine, subject, findings in
      let batch = InferenceBatch(subject.sentences)
      let all = try await engine.infer(batch, threshold: subject.threshold)
      let higher = subject.threshold + 1
      for (low, high) in zip(all, try await engine.infer(batch, threshold: higher)) {
        let kept = low.triples.filter { $0.parts.score > higher }
        findings.expect(
          kept.count == high.triples.count, "\(high.triples.count) triples, not \(kept.count)")
      }
    },
    EngineCheck("The scores of a triple are those that it was found with") {
      engine, subject, findings in
      for sentence in subject.sentences {
        let answers = try await engine.infer(
          InferenceBatch([sentence]), threshold: subject.threshold)
        let triples = Array(answers[0].triples.prefix(20))
        let queries = triples.map {
          TripleQuery(predicate: $0.predicate, subject: $0.subject, object: $0.object)
        }
        let scores = try await engine.scores(of: queries, in: sentence)
        findings.expect(scores.count == triples.count, "\(scores.count) scores")
        for (triple, parts) in zip(triples, scores) {
          findings.expect(parts.agrees(with: triple.parts), "\(parts) for \(triple)")
        }
      }
    },
  ]

  private static func look(
    at answer: SentenceCandidates, to sentence: [Int32], _ threshold: Float, _ shape: ModelShape,
    _ findings: Findings
  ) {
    let inside = 1...max(1, sentence.count - 2)
    for spans in [answer.subjects, answer.objects] {
      findings.expect(spans.map(\.span) == spans.map(\.span).sorted(), "spans are in no order")
      findings.expect(spans.allSatisfy { $0.score > threshold }, "a span below the threshold")
    }
    let (subjects, objects) = (Set(answer.subjects.map(\.span)), Set(answer.objects.map(\.span)))
    for triple in answer.triples {
      findings.expect(triple.parts.score > threshold, "\(triple) is below \(threshold)")
      findings.expect(
        (0..<shape.predicateCount).contains(triple.predicate), "predicate \(triple.predicate)")
      for span in [triple.subject, triple.object] {
        findings.expect(
          inside.contains(Int(span.start)) && inside.contains(Int(span.end)),
          "\(span) of \(sentence.count) tokens")
      }
      findings.expect(
        subjects.contains(triple.subject) && objects.contains(triple.object),
        "\(triple) of spans that are not named")
    }
    findings.expect(
      answer.triples == answer.triples.sorted(by: TripleCandidate.precedes),
      "triples are in no order")
  }
}
