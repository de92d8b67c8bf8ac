internal import DocumentIO
internal import RelationExtraction

/// `--explain`: which of the four conditions of a triple fails, and by how much.
struct ExplainReport {
  let extractor: RelationExtractor
  let triple: [String]

  func run(_ source: RecordSource) async throws {
    let output = try StandardOutput()
    while let item = try await source.next() {
      switch item {
      case .notice(let notice): Terminal.say(notice.description)
      case .reject(let reject): reject.say()
      case .record(let record):
        let found = try await extractor.explain(
          record.text, subject: triple[0], predicate: triple[1], object: triple[2])
        let lines = [terminalText(record.text)] + found.flatMap(lines)
        try output.write(lines.map { "\($0)\n" }.joined())
      }
    }
  }

  private func lines(_ explanation: Explanation) -> [String] {
    switch explanation.finding {
    case .impossible(let reason): return ["  impossible: \(reason)"]
    case .scored(let parts):
      let place = "\(range(explanation.subject)) \(range(explanation.object))"
      let threshold = extractor.configuration.threshold
      let verdict = parts.score > threshold ? "in the answer" : "not in the answer"
      let conditions = [
        ("entity: \(triple[0]) is a subject", parts.subject),
        ("entity: \(triple[2]) is an object", parts.object),
        ("so_head: their first tokens are in \(triple[1])", parts.head),
        ("so_tail: their last tokens are in \(triple[1])", parts.tail),
      ]
      return [
        "  subject and object at UTF-8 bytes \(place): \(verdict), score \(parts.score)"
      ]
        + conditions.map { name, logit in
          let note = logit > threshold ? "holds" : "fails by \(threshold - logit)"
          return "    \(terminalText(name)): \(logit)  \(note)"
        }
    }
  }

  private func range(_ range: Range<Int>?) -> String {
    range.map { "\($0.lowerBound)..<\($0.upperBound)" } ?? "?"
  }
}
