internal import GlobalPointer

/// A triple in the document's token indices, and the window that saw it.
struct WindowedTriple {
  var candidate: TripleCandidate
  var window: Int
}

/// One document's triples from its windows' triples, each kept once.
struct WindowMerger {
  let windows: [Window]
  let count: Int

  /// Triples in document tokens (`[CLS]` not counted), in stable order.
  ///
  /// A triple that touches an inner edge of its window may have been cut there; it is dropped when
  /// another window sees all of it away from its own edges, and that window's answer stands.
  /// Of a triple that several windows see, the highest score is kept.
  func merge(_ found: [WindowedTriple]) -> [TripleCandidate] {
    var best: [Key: TripleCandidate] = [:]
    for triple in found where !yields(triple) {
      let key = Key(triple.candidate)
      if let other = best[key], other.parts.score >= triple.candidate.parts.score { continue }
      best[key] = triple.candidate
    }
    return best.values.sorted(by: TripleCandidate.precedes)
  }

  private struct Key: Hashable {
    let predicate: Int
    let subject, object: TokenSpan

    init(_ triple: TripleCandidate) {
      (predicate, subject, object) = (triple.predicate, triple.subject, triple.object)
    }
  }

  private func yields(_ triple: WindowedTriple) -> Bool {
    let (s, o) = (triple.candidate.subject, triple.candidate.object)
    let extent = Int(min(s.start, o.start))..<Int(max(s.end, o.end)) + 1
    guard touchesEdge(extent, windows[triple.window].tokens) else { return false }
    return windows.indices.contains { other in
      let tokens = windows[other].tokens
      return other != triple.window && tokens.lowerBound <= extent.lowerBound
        && extent.upperBound <= tokens.upperBound && !touchesEdge(extent, tokens)
    }
  }

  /// Whether an extent ends where the window does but the document does not.
  private func touchesEdge(_ extent: Range<Int>, _ tokens: Range<Int>) -> Bool {
    (extent.lowerBound == tokens.lowerBound && tokens.lowerBound > 0)
      || (extent.upperBound == tokens.upperBound && tokens.upperBound < count)
  }
}
