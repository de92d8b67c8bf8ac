/// Where cell (head, row, column) of a sentence's logits lies in a flat buffer, in floats.
public struct LogitLayout: Hashable, Sendable {
  /// The place of cell (0, 0, 0).
  public var offset: Int
  /// From one head (or predicate) to the next.
  public var headStride: Int
  /// From one row (first token) to the next.
  public var rowStride: Int
  /// From one column (last token, or object token) to the next.
  public var columnStride: Int

  /// Any strided layout.
  public init(offset: Int, headStride: Int, rowStride: Int, columnStride: Int) {
    (self.offset, self.headStride) = (offset, headStride)
    (self.rowStride, self.columnStride) = (rowStride, columnStride)
  }

  /// Sentence `index` of a dense, row-major [batch, heads, length, length] tensor.
  public static func dense(heads: Int, length: Int, sentence index: Int = 0) -> LogitLayout {
    LogitLayout(
      offset: index * heads * length * length, headStride: length * length, rowStride: length,
      columnStride: 1)
  }

  func index(_ head: Int, _ row: Int, _ column: Int) -> Int {
    assert(head >= 0 && row >= 0 && column >= 0, "a cell has no negative place")
    return offset + head * headStride + row * rowStride + column * columnStride
  }
}

/// Decodes one sentence's dense entity, so_head and so_tail logits where they lie.
///
/// - Parameters:
///   - realTokens: the sentence's own length n, `[CLS]` and `[SEP]` included; only tokens 1...n-2
///     can be in a span, whatever the padded length.
///   - threshold: cells strictly above it count.
/// - Throws: `DecodeError`: a NaN or an infinity in a cell that counts, too many triples, or a
///   buffer shorter than its layout and counts need.
public func decodeDense(
  entity: Span<Float>, _ entityLayout: LogitLayout, head: Span<Float>, _ headLayout: LogitLayout,
  tail: Span<Float>, _ tailLayout: LogitLayout, predicates: Int, realTokens: Int,
  threshold: Float, limit: Int = PairDecoder.defaultLimit
) throws -> SentenceCandidates {
  try require(entity, entityLayout, "entity", heads: 2, realTokens)
  try require(head, headLayout, "so_head", heads: predicates, realTokens)
  try require(tail, tailLayout, "so_tail", heads: predicates, realTokens)
  func spans(_ kind: Int) throws -> [ScoredSpan] {
    try scanSpans(
      entity, entityLayout, head: kind, realTokens: realTokens, threshold: threshold)
  }
  var decoder = PairDecoder(
    subjects: try spans(0), objects: try spans(1), threshold: threshold, limit: limit)
  if decoder.isEmpty { return decoder.finish() }
  var heads: [Float] = []
  var tails: [Float] = []
  for p in 0..<predicates {
    gather(head, headLayout, p, decoder.subjectStarts, decoder.objectStarts, into: &heads)
    gather(tail, tailLayout, p, decoder.subjectEnds, decoder.objectEnds, into: &tails)
    try decoder.take(predicate: p, heads: heads.span, tails: tails.span)
  }
  return decoder.finish()
}

/// The spans of one entity head above the threshold, by start, then end.
///
/// - Throws: `DecodeError.notFinite` for a NaN or an infinity on or above the diagonal.
public func scanSpans(
  _ logits: Span<Float>, _ layout: LogitLayout, head: Int, realTokens: Int, threshold: Float
) throws -> [ScoredSpan] {
  var found: [ScoredSpan] = []
  guard realTokens > 2 else { return found }
  for row in 1...realTokens - 2 {
    for column in row...realTokens - 2 {
      let logit = logits[layout.index(head, row, column)]
      if logit > threshold, logit < .infinity {
        found.append(ScoredSpan(span: TokenSpan(start: row, end: column), score: logit))
      } else if !logit.isFinite {
        throw DecodeError.notFinite(
          tensor: "entity", head: head, row: row, column: column, value: logit)
      }
    }
  }
  return found
}

private func gather(
  _ logits: Span<Float>, _ layout: LogitLayout, _ head: Int, _ rows: [Int32], _ columns: [Int32],
  into grid: inout [Float]
) {
  grid.removeAll(keepingCapacity: true)
  for row in rows {
    for column in columns { grid.append(logits[layout.index(head, Int(row), Int(column))]) }
  }
}

private func require(
  _ logits: Span<Float>, _ layout: LogitLayout, _ tensor: String, heads: Int, _ tokens: Int
) throws {
  let last = layout.index(heads - 1, max(tokens - 1, 0), max(tokens - 1, 0))
  guard heads == 0 || last < logits.count else {
    throw DecodeError.shape(
      tensor: tensor, expected: [heads, tokens, tokens], got: [logits.count])
  }
}
