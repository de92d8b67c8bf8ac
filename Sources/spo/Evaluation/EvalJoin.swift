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

/// A text for a terminal: what would control it is shown as JSON would write it.
func visible(_ text: String) -> String {
  var shown = ""
  for scalar in text.unicodeScalars {
    switch scalar.value {
    case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069:
      let digits = String(scalar.value, radix: 16)
      shown += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: shown.unicodeScalars.append(scalar)
    }
  }
  return shown
}
