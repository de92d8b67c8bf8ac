internal import GlobalPointer

extension ResultFormatter {
  /// A document and its triples for a reader at a terminal, whom no character of the text may
  /// steer. A triple that several mentions give is one line, with the best confidence.
  func appendPretty(_ record: SourceRecord, _ triples: [Triple], to out: inout [UInt8]) {
    out.append(contentsOf: "\(terminalText(record.text))\n".utf8)
    if triples.isEmpty { out.append(contentsOf: paint("  no triples\n", 2).utf8) }
    for group in grouped(triples) {
      let best = group.map(\.confidence).max() ?? 0
      let times = group.count > 1 ? " (\(group.count) mentions)" : ""
      let note = paint("\(Int((best * 100).rounded()))%\(times)", 2)
      let words = [group[0].subject.text, group[0].predicate, group[0].object.text]
      let shown = zip(words.map { terminalText($0) }, [36, 33, 32]).map { paint($0, $1) }
      out.append(contentsOf: "  \(shown[0])  --\(shown[1])-->  \(shown[2])   \(note)\n".utf8)
    }
    out.append(0x0A)
  }

  /// Triples with the same words, in the order of the first of each.
  private func grouped(_ triples: [Triple]) -> [[Triple]] {
    var groups: [[Triple]] = []
    var places: [[[UInt8]]: Int] = [:]
    for triple in triples {
      let words = [triple.subject.text, triple.predicate, triple.object.text].map { Array($0.utf8) }
      if let place = places[words] {
        groups[place].append(triple)
      } else {
        places[words] = groups.count
        groups.append([triple])
      }
    }
    return groups
  }

  private func paint(_ text: String, _ code: Int) -> String {
    color ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }
}
