/// A stretch of a document's tokens that fits the model, `[CLS]` and `[SEP]` not counted.
struct Window: Hashable, Sendable {
  /// Tokens of the document, from 0 for the first after `[CLS]`.
  var tokens: Range<Int>
}

/// Cuts a document into overlapping windows, at sentence ends where there are any.
struct WindowPlanner {
  /// The most tokens of a window.
  let capacity: Int
  /// About how many tokens two neighbours share.
  let overlap: Int

  init(capacity: Int, overlap: Int) {
    self.capacity = max(1, capacity)
    self.overlap = min(max(0, overlap), max(0, self.capacity / 2))
  }

  /// Windows that cover `0..<count`; `endsSentence` tells whether a token ends one.
  func plan(count: Int, endsSentence: (Int) -> Bool) -> [Window] {
    var windows: [Window] = []
    var start = 0
    while true {
      let limit = min(start + capacity, count)
      let end = limit == count ? count : cut(start, limit, endsSentence)
      windows.append(Window(tokens: start..<end))
      if end == count { return windows }
      start = max(start + 1, resume(before: end, after: start, endsSentence))
    }
  }

  /// The last sentence end in the window's second half, or the limit itself.
  private func cut(_ start: Int, _ limit: Int, _ endsSentence: (Int) -> Bool) -> Int {
    let half = start + (limit - start) / 2
    for end in stride(from: limit, to: half, by: -1) where endsSentence(end - 1) { return end }
    return limit
  }

  /// Where the next window begins: the first sentence start among the shared tokens, or as far
  /// back as they reach.
  private func resume(before end: Int, after start: Int, _ endsSentence: (Int) -> Bool) -> Int {
    let earliest = max(start + 1, end - overlap)
    for place in stride(from: earliest, to: end, by: 1) where endsSentence(place - 1) {
      return place
    }
    return earliest
  }
}

/// Whether the source bytes of one token end a sentence: 。！？；!?; or an ellipsis.
func isSentenceEnd(_ token: some Collection<UInt8>) -> Bool {
  switch token.count {
  case 1: "!?;".utf8.contains(token.first ?? 0)
  case 3: ["。", "！", "？", "；", "…"].contains { $0.utf8.elementsEqual(token) }
  default: false
  }
}
