/// The spans of one sentence, and the distinct tokens at which so_head and so_tail must be known.
///
/// so_head is read only at (subject start, object start) and so_tail only at (subject end, object
/// end), so an engine evaluates two small grids for each predicate instead of [L, L] cells:
/// `heads` [subjectStarts.count, objectStarts.count] and `tails` [subjectEnds.count,
/// objectEnds.count], both row-major.
public struct PairDecoder: Sendable {
  /// Distinct first tokens of the subjects, ascending.
  public let subjectStarts: [Int32]
  /// Distinct first tokens of the objects, ascending.
  public let objectStarts: [Int32]
  /// Distinct last tokens of the subjects, ascending.
  public let subjectEnds: [Int32]
  /// Distinct last tokens of the objects, ascending.
  public let objectEnds: [Int32]

  private let subjects: SpanGroups
  private let objects: SpanGroups
  private let threshold: Float
  private let limit: Int
  private var found: [TripleCandidate] = []

  /// The most triples of one sentence before decoding refuses to go on.
  public static let defaultLimit = 200_000

  /// Starts decoding one sentence from its spans, each list sorted by span.
  public init(
    subjects: [ScoredSpan], objects: [ScoredSpan], threshold: Float,
    limit: Int = PairDecoder.defaultLimit
  ) {
    self.subjects = SpanGroups(subjects)
    self.objects = SpanGroups(objects)
    (subjectStarts, subjectEnds) = (self.subjects.starts, self.subjects.ends)
    (objectStarts, objectEnds) = (self.objects.starts, self.objects.ends)
    (self.threshold, self.limit) = (threshold, limit)
  }

  /// Whether there is anything to evaluate.
  public var isEmpty: Bool { subjects.spans.isEmpty || objects.spans.isEmpty }

  /// Takes one predicate's two grids and keeps its triples.
  ///
  /// - Throws: `DecodeError` when a logit is not finite or there are too many triples.
  public mutating func take(predicate: Int, heads: Span<Float>, tails: Span<Float>) throws {
    precondition(heads.count == subjectStarts.count * objectStarts.count, "heads grid")
    precondition(tails.count == subjectEnds.count * objectEnds.count, "tails grid")
    try check(tails, "so_tail", predicate, subjectEnds, objectEnds)
    for row in subjectStarts.indices {
      for column in objectStarts.indices {
        let head = heads[row * objectStarts.count + column]
        guard head.isFinite else {
          throw DecodeError.notFinite(
            tensor: "so_head", head: predicate, row: Int(subjectStarts[row]),
            column: Int(objectStarts[column]), value: head)
        }
        if head > threshold { try pair(predicate, row, column, head, tails) }
      }
    }
  }

  /// The sentence's spans and triples, in stable order.
  public consuming func finish() -> SentenceCandidates {
    found.sort(by: TripleCandidate.precedes)
    return SentenceCandidates(subjects: subjects.spans, objects: objects.spans, triples: found)
  }

  /// All subjects and objects that start at the two tokens and whose tail is above the threshold.
  private mutating func pair(
    _ predicate: Int, _ row: Int, _ column: Int, _ head: Float, _ tails: Span<Float>
  ) throws {
    for s in subjects.members[row] {
      for o in objects.members[column] {
        let tail = tails[subjects.endIndex[s] * objectEnds.count + objects.endIndex[o]]
        guard tail > threshold else { continue }
        guard found.count < limit else {
          throw DecodeError.tooManyTriples(limit: limit, threshold: threshold)
        }
        let parts = ScoreParts(
          subject: subjects.spans[s].score, object: objects.spans[o].score, head: head, tail: tail)
        found.append(
          TripleCandidate(
            predicate: predicate, subject: subjects.spans[s].span, object: objects.spans[o].span,
            parts: parts))
      }
    }
  }

  private func check(
    _ grid: Span<Float>, _ tensor: String, _ predicate: Int, _ rows: [Int32], _ columns: [Int32]
  ) throws {
    for index in grid.indices where !grid[index].isFinite {
      throw DecodeError.notFinite(
        tensor: tensor, head: predicate, row: Int(rows[index / columns.count]),
        column: Int(columns[index % columns.count]), value: grid[index])
    }
  }
}

/// Spans grouped by first token, with each one's place among the distinct last tokens.
private struct SpanGroups: Sendable {
  let spans: [ScoredSpan]
  let starts: [Int32]
  let ends: [Int32]
  /// For each distinct start the indices of its spans.
  let members: [Range<Int>]
  /// For each span its end's index in `ends`.
  let endIndex: [Int]

  init(_ spans: [ScoredSpan]) {
    self.spans = spans
    var starts: [Int32] = []
    var members: [Range<Int>] = []
    for (index, scored) in spans.enumerated() {
      if starts.last == scored.span.start {
        members[members.count - 1] = members[members.count - 1].lowerBound..<index + 1
      } else {
        starts.append(scored.span.start)
        members.append(index..<index + 1)
      }
    }
    let ends = Set(spans.map(\.span.end)).sorted()
    let place = Dictionary(uniqueKeysWithValues: zip(ends, ends.indices))
    endIndex = spans.map { place[$0.span.end]! }  // every end is in the set it was made from
    (self.starts, self.ends, self.members) = (starts, ends, members)
  }
}
