import GlobalPointer
import Inference
import Testing

@testable import RelationExtraction

@Suite struct BatchPlannerTests {
  @Test func `Every sentence is in exactly one batch within the limits`() {
    for _ in 0..<200 {
      let lengths = (0..<Int.random(in: 0...60)).map { _ in Int.random(in: 2...40) }
      let planner = BatchPlanner(EngineLimits(batchRows: 7, batchTokens: 100, concurrency: 1))
      let plan = planner.plan(lengths: lengths).map(\.sentences)
      #expect(plan.flatMap { $0 }.sorted() == Array(lengths.indices))
      for batch in plan {
        #expect(batch.count <= 7)
        #expect(batch.reduce(0) { $0 + lengths[$1] } <= 100)
      }
    }
  }

  @Test func `A sentence over the limit has a batch of its own`() {
    let planner = BatchPlanner(EngineLimits(batchRows: 7, batchTokens: 10, concurrency: 1))
    #expect(planner.plan(lengths: [3, 50, 4]).map(\.sentences) == [[1], [2, 0]])
  }
}

@Suite struct LengthBucketsTests {
  /// The fewest padded cells by trying every choice of edges.
  private func naive(_ lengths: [Int], _ counts: [Int], edges: Int) -> Int {
    func cost(_ edges: [Int]) -> Int {
      zip(lengths, counts).reduce(0) { sum, pair in
        let edge = edges.filter { $0 >= pair.0 }.min()!  // the longest length is an edge
        return sum + edge * edge * pair.1
      }
    }
    return (0..<1 << (lengths.count - 1)).map { bits in
      lengths.indices.dropLast().filter { bits & 1 << $0 != 0 }.map { lengths[$0] }
        + [lengths[lengths.count - 1]]
    }.filter { $0.count <= edges }.map(cost).min()!  // one edge alone is among them
  }

  @Test func `The edges pad least`() {
    for _ in 0..<200 {
      var histogram = Array(repeating: 0, count: 40)
      for _ in 0..<Int.random(in: 1...30) {
        histogram[[3, 5, 6, 9, 14, 20, 27, 33, 39].randomElement()!] += 1  // it is not empty
      }
      let lengths = histogram.indices.filter { histogram[$0] > 0 }
      let count = Int.random(in: 1...5)
      let buckets = LengthBuckets(histogram, count: count)
      #expect(buckets.edges.count <= count && buckets.edges.last == lengths.last)
      let cells = lengths.reduce(0) { sum, length in
        let padded = buckets.padded(length, maximum: 40)
        return sum + padded * padded * histogram[length]
      }
      #expect(cells == naive(lengths, lengths.map { histogram[$0] }, edges: count))
    }
  }

  @Test func `Lengths that were never seen are padded, but not beyond the model`() {
    let buckets = LengthBuckets([0, 0, 0, 1, 0, 0, 0, 1], count: 2)
    #expect(buckets.edges == [3, 7])
    #expect(
      [2, 3, 4, 7, 8, 17, 250].map { buckets.padded($0, maximum: 254) }
        == [3, 3, 7, 7, 16, 32, 254])
    #expect(LengthBuckets([], count: 3).padded(5, maximum: 100) == 16)
  }

  @Test func `Batches of one bucket follow each other within all limits`() {
    for _ in 0..<200 {
      let lengths = (0..<Int.random(in: 0...60)).map { _ in Int.random(in: 2...40) }
      var histogram = Array(repeating: 0, count: 41)
      for length in lengths { histogram[length] += 1 }
      let limits = EngineLimits(
        batchRows: 7, batchTokens: 200, concurrency: 1, padsRows: true, batchCells: 5_000)
      let planner = BatchPlanner(
        limits, buckets: LengthBuckets(histogram, count: 4), maximumTokens: 40)
      let plan = planner.plan(lengths: lengths)
      #expect(plan.flatMap(\.sentences).sorted() == Array(lengths.indices))
      #expect(plan.map(\.length) == plan.map(\.length).sorted(by: >))
      #expect(Set(plan.map(\.length)).count <= 4)
      for batch in plan {
        let count = batch.sentences.count
        #expect(count <= 7 && count * batch.length <= 200)
        #expect(count == 1 || count * batch.length * batch.length <= 5_000)
        #expect(batch.sentences.allSatisfy { lengths[$0] <= batch.length })
      }
    }
  }
}

@Suite struct WindowTests {
  @Test func `Windows cover every token, fit, overlap and go on`() {
    for _ in 0..<300 {
      let count = Int.random(in: 0...200)
      let ends = Set((0..<count).filter { _ in Int.random(in: 0..<9) == 0 })
      let planner = WindowPlanner(
        capacity: Int.random(in: 1...30), overlap: Int.random(in: 0...40))
      let windows = planner.plan(count: count) { ends.contains($0) }.map(\.tokens)
      #expect(windows.first?.lowerBound == 0)
      #expect(windows.last?.upperBound == count)
      for window in windows { #expect(window.count <= planner.capacity) }
      for (a, b) in zip(windows, windows.dropFirst()) {
        #expect(a.lowerBound < b.lowerBound)
        #expect(b.lowerBound <= a.upperBound, "a gap loses tokens")
      }
    }
  }

  @Test func `A window ends after a sentence where it can`() {
    let planner = WindowPlanner(capacity: 10, overlap: 4)
    let windows = planner.plan(count: 16) { $0 == 7 || $0 == 4 }.map(\.tokens)
    #expect(windows == [0..<8, 5..<15, 11..<16])
  }

  @Test func `A span cut by a window's edge loses to the same span seen whole`() {
    let windows = [Window(tokens: 0..<10), Window(tokens: 6..<16)]
    func triple(_ s: (Int, Int), _ o: (Int, Int), _ score: Float, _ window: Int) -> WindowedTriple {
      let parts = ScoreParts(subject: score, object: score, head: score, tail: score)
      return WindowedTriple(
        candidate: TripleCandidate(
          predicate: 0, subject: TokenSpan(start: s.0, end: s.1),
          object: TokenSpan(start: o.0, end: o.1), parts: parts), window: window)
    }
    let cut = triple((7, 7), (8, 9), 5, 0)  // ends at the edge of window 0
    let whole = triple((7, 7), (8, 10), 2, 1)
    let both = [triple((7, 7), (8, 8), 1, 0), triple((7, 7), (8, 8), 3, 1)]
    let onlyHere = triple((2, 2), (9, 9), 4, 0)  // no other window sees both
    let merged = WindowMerger(windows: windows, count: 16)
      .merge([cut, whole] + both + [onlyHere])
    #expect(merged == [onlyHere.candidate, both[1].candidate, whole.candidate])
  }
}
