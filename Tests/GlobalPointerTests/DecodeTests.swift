import Testing

@testable import GlobalPointer

/// Decodes by trying every pair of spans and every predicate: the definition, word for word.
private func naive(
  _ e: [Float], _ h: [Float], _ t: [Float], p: Int, l: Int, n: Int, _ threshold: Float
) -> SentenceCandidates {
  func spans(_ kind: Int) -> [ScoredSpan] {
    var found: [ScoredSpan] = []
    for a in 0..<l {
      for b in 0..<l where a >= 1 && b <= n - 2 && a <= b && e[kind * l * l + a * l + b] > threshold
      {
        found.append(
          ScoredSpan(span: TokenSpan(start: a, end: b), score: e[kind * l * l + a * l + b]))
      }
    }
    return found
  }
  let (subjects, objects) = (spans(0), spans(1))
  var triples: [TripleCandidate] = []
  for s in subjects {
    for o in objects {
      for k in 0..<p {
        let head = h[k * l * l + Int(s.span.start) * l + Int(o.span.start)]
        let tail = t[k * l * l + Int(s.span.end) * l + Int(o.span.end)]
        guard head > threshold, tail > threshold else { continue }
        let parts = ScoreParts(subject: s.score, object: o.score, head: head, tail: tail)
        triples.append(
          TripleCandidate(predicate: k, subject: s.span, object: o.span, parts: parts))
      }
    }
  }
  triples.sort(by: TripleCandidate.precedes)
  return SentenceCandidates(subjects: subjects, objects: objects, triples: triples)
}

@Suite struct DecodeTests {
  private func decode(
    _ e: [Float], _ h: [Float], _ t: [Float], p: Int, l: Int, n: Int, _ threshold: Float = 0,
    limit: Int = PairDecoder.defaultLimit
  ) throws -> SentenceCandidates {
    try decodeDense(
      entity: e.span, .dense(heads: 2, length: l), head: h.span, .dense(heads: p, length: l),
      tail: t.span, .dense(heads: p, length: l), predicates: p, realTokens: n,
      threshold: threshold, limit: limit)
  }

  @Test func `Random logits decode as the naive twin says`() throws {
    var triples = 0
    for round in 0..<400 {
      let l = Int.random(in: 2...12)
      let n = Int.random(in: 2...l)
      let p = Int.random(in: 1...4)
      let centre: Float = [-1.5, -0.5, 0.5][round % 3]
      // Coarse values, so that ties and exact zeros happen.
      func logits(_ heads: Int) -> [Float] {
        (0..<heads * l * l).map { _ in (Float.random(in: -2...2) + centre).rounded() / 2 }
      }
      let (e, h, t) = (logits(2), logits(p), logits(p))
      for threshold: Float in [-1, 0, 0.5] {
        let ours = try decode(e, h, t, p: p, l: l, n: n, threshold)
        #expect(ours == naive(e, h, t, p: p, l: l, n: n, threshold))
        triples += ours.triples.count
      }
    }
    #expect(triples > 10_000)
  }

  @Test func `A low threshold filtered by score equals a run at the higher one`() throws {
    let (l, p) = (9, 3)
    let logits = { (heads: Int) in (0..<heads * l * l).map { _ in Float.random(in: -1...1) } }
    let (e, h, t) = (logits(2), logits(p), logits(p))
    let low = try decode(e, h, t, p: p, l: l, n: l, -0.8).triples
    for threshold: Float in [-0.5, 0, 0.3] {
      let high = try decode(e, h, t, p: p, l: l, n: l, threshold).triples
      #expect(low.filter { $0.parts.score > threshold } == high)
    }
    #expect(low.count > 100)
  }

  @Test func `Padding, CLS and SEP never take part`() throws {
    let (l, n, p) = (8, 4, 1)
    let ones = [Float](repeating: 1, count: 2 * l * l)
    let answer = try decode(
      ones, Array(ones.prefix(l * l)), Array(ones.prefix(l * l)), p: p, l: l, n: n)
    #expect(
      answer.subjects.map(\.span) == [
        .init(start: 1, end: 1), .init(start: 1, end: 2), .init(start: 2, end: 2),
      ])
    #expect(answer.triples.count == 9)
    for n in [0, 1, 2] { #expect(try decode(ones, ones, ones, p: 1, l: l, n: n).triples.isEmpty) }
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func `A cell that is not finite is named`(value: Float) throws {
    let (l, p) = (5, 2)
    let fine = [Float](repeating: 1, count: 2 * l * l)
    var bad = fine
    bad[l * l + 2 * l + 3] = value
    #expect {
      try decode(bad, fine, fine, p: p, l: l, n: l)
    } throws: {
      guard case .notFinite("entity", 1, 2, 3, _)? = $0 as? DecodeError else { return false }
      return true
    }
    #expect {
      try decode(fine, bad, fine, p: p, l: l, n: l)
    } throws: { "\($0)".contains("so_head[1, 2, 3]") }
    #expect {
      try decode(fine, fine, bad, p: p, l: l, n: l)
    } throws: { "\($0)".contains("so_tail[1, 2, 3]") }
    // Below the diagonal, and in [CLS], a masked entity cell may hold anything.
    var masked = fine
    masked[3 * l + 2] = value
    masked[0] = value
    #expect(try decode(masked, fine, fine, p: p, l: l, n: l).triples.count == 72)
  }

  @Test func `All cells positive stops at the limit with advice`() {
    let l = 40
    let ones = [Float](repeating: 1, count: 2 * l * l)
    #expect(throws: DecodeError.tooManyTriples(limit: 1_000, threshold: 0)) {
      try decode(ones, ones, ones, p: 1, l: l, n: l, limit: 1_000)
    }
  }

  @Test func `A transposed layout reads the same cells`() throws {
    let (l, p) = (6, 2)
    let logits = { (heads: Int) in (0..<heads * l * l).map { _ in Float.random(in: -1...1) } }
    let (e, h, t) = (logits(2), logits(p), logits(p))
    func moved(_ x: [Float], _ heads: Int) -> ([Float], LogitLayout) {
      // [row, column, head] with a column of junk in front.
      var out = [Float](repeating: .nan, count: 3 + heads * l * l)
      for k in 0..<heads {
        for i in 0..<l {
          for j in 0..<l { out[3 + (i * l + j) * heads + k] = x[k * l * l + i * l + j] }
        }
      }
      return (out, LogitLayout(offset: 3, headStride: 1, rowStride: l * heads, columnStride: heads))
    }
    let (me, mh, mt) = (moved(e, 2), moved(h, p), moved(t, p))
    let answer = try decodeDense(
      entity: me.0.span, me.1, head: mh.0.span, mh.1, tail: mt.0.span, mt.1, predicates: p,
      realTokens: l, threshold: -0.3)
    #expect(try answer == decode(e, h, t, p: p, l: l, n: l, -0.3))
  }

  @Test func `A buffer that is too short is refused, not read`() {
    let short = [Float](repeating: 0, count: 10)
    #expect(throws: DecodeError.self) { try decode(short, short, short, p: 1, l: 4, n: 4) }
  }
}
