/// Combining marks between two starters, in canonical order, with the offsets of the reference.
///
/// The reference reorders marks by combining class and then gives the n-th of them the place of
/// the n-th source mark, whichever it was, accents that it drops afterwards included. A mark that
/// is not the first of its source scalar's decomposition shares the place before it.
struct MarkRun {
  private struct Mark {
    /// nil for an accent, which is dropped after reordering.
    let scalar: UInt32?
    let combiningClass: UInt32
    let isOwn: Bool
    let origin: WordScalar
  }

  private var marks: [Mark] = []

  var isEmpty: Bool { marks.isEmpty }

  /// Adds a mark that came from the bytes `start..<end`.
  mutating func take(
    _ scalar: UInt32?, _ combiningClass: UInt32, _ start: UInt32, _ end: UInt32, isOwn: Bool
  ) {
    let origin = WordScalar(scalar: scalar ?? 0, start: start, end: end)
    marks.append(
      Mark(scalar: scalar, combiningClass: combiningClass, isOwn: isOwn, origin: origin))
  }

  /// The surviving marks in canonical order, and an empty run.
  mutating func finish() -> [WordScalar] {
    let places = marks.filter(\.isOwn).map(\.origin)
    let order = marks.indices.sorted {
      (marks[$0].combiningClass, $0) < (marks[$1].combiningClass, $1)
    }
    var kept: [WordScalar] = []
    var taken = 0
    for mark in order.map({ marks[$0] }) {
      if mark.isOwn { taken += 1 }
      guard let scalar = mark.scalar else { continue }
      let place = taken > 0 ? places[taken - 1] : mark.origin
      kept.append(WordScalar(scalar: scalar, start: place.start, end: place.end))
    }
    marks.removeAll(keepingCapacity: true)
    return kept
  }
}
