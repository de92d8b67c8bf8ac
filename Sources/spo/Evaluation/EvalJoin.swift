internal import Evaluation
internal import Texts

/// Puts predictions to the gold file's sentences by their texts, and tells what has no other side.
struct EvalJoin {
  let gold: (path: String, file: TripleFile)
  let scorer: Scorer
  /// The predicates that count; nil for all.
  let kept: Set<ExactText>?

  /// The gold file's sentences with a file's predictions.
  func sentences(_ path: String, _ file: TripleFile) throws -> [Evaluation.Sentence] {
    try tellStrangers(path, file)
    for (name, rejects) in [(gold.path, gold.file.rejects), (path, file.rejects)] where rejects > 0
    {
      Terminal.say("\(rejects) lines of \(name) are rejected records")
    }
    return try gold.file.texts.map { text in
      try Task.checkCancellation()
      return Evaluation.Sentence(
        text: text, gold: counted(gold.file[text] ?? []).map(\.statement),
        predicted: counted(file[text] ?? []))
    }
  }

  private func tellStrangers(_ path: String, _ file: TripleFile) throws {
    let strangers = file.texts.filter { gold.file[$0] == nil }
    guard strangers.count < file.texts.count || file.texts.isEmpty else {
      throw TripleFile.Malformed(
        description: "no text of \(path) is in \(gold.path); are these the same sentences?")
    }
    if let first = strangers.first {
      let shown = visible(String(first.prefix(80)))
      Terminal.say("\(strangers.count) texts of \(path) are not in the gold file, such as \(shown)")
    }
    let silent = gold.file.texts.count { file[$0] == nil }
    if silent > 0 {
      Terminal.say("\(silent) gold texts are not in \(path): their triples count as missing")
    }
  }

  private func counted(_ predictions: [Prediction]) -> [Prediction] {
    predictions.filter { kept?.contains(ExactText($0.statement.predicate)) ?? true }.map {
      scorer == .duie1 ? Prediction($0.statement.plain, score: $0.score) : $0
    }
  }
}
