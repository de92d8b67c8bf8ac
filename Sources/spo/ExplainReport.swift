internal import RelationExtraction

/// `--explain`: which of the four conditions of a triple fails, and by how much.
struct ExplainReport {
  let extractor: RelationExtractor
  let triple: [String]

  func run(_ source: inout RecordSource) async throws {
    while let item = try source.next() {
      switch item {
      case .reject(let reject): RejectWriter.say(reject)
      case .record(let record):
        let found = try await extractor.explain(
          record.text, subject: triple[0], predicate: triple[1], object: triple[2])
        print(record.text)
        for explanation in found { show(explanation) }
      }
    }
  }

  private func show(_ explanation: Explanation) {
    switch explanation.finding {
    case .impossible(let reason): print("  impossible: \(reason)")
    case .scored(let parts):
      let place = "\(range(explanation.subject)) \(range(explanation.object))"
      let threshold = extractor.configuration.threshold
      let verdict = parts.score > threshold ? "in the answer" : "not in the answer"
      print("  subject and object at UTF-8 bytes \(place): \(verdict), score \(parts.score)")
      let conditions = [
        ("entity: \(triple[0]) is a subject", parts.subject),
        ("entity: \(triple[2]) is an object", parts.object),
        ("so_head: their first tokens are in \(triple[1])", parts.head),
        ("so_tail: their last tokens are in \(triple[1])", parts.tail),
      ]
      for (name, logit) in conditions {
        let note = logit > threshold ? "holds" : "fails by \(threshold - logit)"
        print("    \(name): \(logit)  \(note)")
      }
    }
  }

  private func range(_ range: Range<Int>?) -> String {
    range.map { "\($0.lowerBound)..<\($0.upperBound)" } ?? "?"
  }
}
