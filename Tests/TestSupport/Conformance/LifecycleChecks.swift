internal import GlobalPointer
internal import Inference

extension EngineCheck {
  /// Calls beside each other, cancelled ones, and the end.
  static let lifecycleChecks = [
    EngineCheck("Calls beside each other have each their own answer") {
      engine, subject, findings in
      let expected = try await engine.infer(
        InferenceBatch(subject.sentences), threshold: subject.threshold)
      try await withThrowingTaskGroup(of: (Int, [SentenceCandidates]).self) { group in
        for call in 0..<24 {
          let place = call % subject.sentences.count
          group.addTask {
            let batch = InferenceBatch([subject.sentences[place]])
            return (place, try await engine.infer(batch, threshold: subject.threshold))
          }
        }
        for try await (place, answers) in group {
          findings.expect(
            answers.count == 1 && answers[0].agrees(with: expected[place]),
            "sentence \(place) got another's answer")
        }
      }
    },
    EngineCheck("A task that is cancelled already is told so") { engine, subject, findings in
      let task = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        await findings.expect(.cancelled, for: "a call of a cancelled task") {
          _ = try await engine.infer(
            InferenceBatch(subject.sentences), threshold: subject.threshold)
        }
      }
      await task.value
    },
    EngineCheck("Calls that are cancelled on their way end, and the engine goes on") {
      engine, subject, findings in
      let batch = InferenceBatch(subject.sentences)
      let expected = try await engine.infer(batch, threshold: subject.threshold)
      for round in 0..<8 {
        let tasks = (0..<6).map { _ in
          Task { try await engine.infer(batch, threshold: subject.threshold) }
        }
        for _ in 0..<round { await Task.yield() }
        for task in tasks { task.cancel() }
        for task in tasks {
          switch await task.result {
          case .success(let answers):
            findings.expect(answers.count == batch.rowCount, "\(answers.count) answers")
          case .failure(let error):
            findings.expect(
              (error as? InferenceError)?.code == .cancelled, "a cancelled call gave \(error)")
          }
        }
      }
      let after = try await engine.infer(batch, threshold: subject.threshold)
      findings.expect(
        zip(after, expected).allSatisfy { $0.agrees(with: $1) }, "its answers are others now")
    },
    EngineCheck("Sentences are counted, where they are counted at all") {
      engine, subject, findings in
      let before = engine.statistics.sentences
      for _ in 0..<3 {
        _ = try await engine.infer(
          InferenceBatch(subject.sentences), threshold: subject.threshold)
      }
      let counted = engine.statistics.sentences - before
      let sent = 3 * subject.sentences.count
      findings.expect(counted == 0 || counted == sent, "\(counted) of \(sent) sentences")
    },
    EngineCheck("It may be closed twice, and a call afterwards ends") {
      engine, subject, findings in
      let batch = InferenceBatch(subject.sentences)
      _ = try await engine.infer(batch, threshold: subject.threshold)
      await engine.close()
      await engine.close()
      do {
        let answers = try await engine.infer(batch, threshold: subject.threshold)
        findings.expect(answers.count == batch.rowCount, "\(answers.count) answers")
      } catch {
        findings.expect(error is InferenceError, "after its end it throws \(error)")
      }
    },
    EngineCheck("It says what it is and what a call may hold") { engine, _, findings in
      let (limits, identity) = (engine.limits, engine.identity)
      let least = min(limits.batchRows, limits.batchTokens, limits.concurrency, limits.batchCells)
      findings.expect(least >= 1, "\(limits)")
      findings.expect(
        ![identity.engine, identity.model, identity.mode].contains(""), "\(identity)")
    },
  ]
}
