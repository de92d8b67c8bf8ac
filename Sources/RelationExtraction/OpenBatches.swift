internal import Inference

/// Batches that fill up, sentence by sentence, over all the documents of a stream.
///
/// Where the engine pads there is one for each padded length: rows of other lengths never share
/// one, and no end of a window cuts it short.
struct OpenBatches<Sentence: Sendable>: Sendable {
  /// Sentences that are read together.
  struct Batch: Sendable {
    var sentences: [Sentence] = []
    /// What each row is padded to, or the longest row.
    var length = 0
    fileprivate var tokens = 0
    /// When its first sentence came.
    fileprivate(set) var begin: ReadPosition
  }

  private var open: [Int: Batch] = [:]

  var isEmpty: Bool { open.isEmpty }

  /// Adds a sentence that came at a position; returns what is full now.
  ///
  /// - Parameter padded: the length of its row; equal for rows that may share a batch where the
  ///   engine pads.
  mutating func add(
    _ sentence: Sentence, padded length: Int, at position: ReadPosition, _ limits: EngineLimits
  ) -> [Batch] {
    let key = limits.padsRows ? length : 0
    var full: [Batch] = []
    var batch = open.removeValue(forKey: key) ?? Batch(begin: position)
    if !batch.sentences.isEmpty, !batch.hasRoom(length, limits) {
      full.append(batch)
      batch = Batch(begin: position)
    }
    batch.sentences.append(sentence)
    (batch.length, batch.tokens) = (max(batch.length, length), batch.tokens + length)
    // The next sentence of an engine that pads is as long as this one.
    if batch.hasRoom(limits.padsRows ? length : 1, limits) {
      open[key] = batch
    } else {
      full.append(batch)
    }
    return full
  }

  /// Takes out the one whose first sentence came first.
  mutating func takeOldest() -> Batch? {
    guard let key = open.min(by: { $0.value.begin < $1.value.begin })?.key else { return nil }
    return open.removeValue(forKey: key)
  }

  /// Takes out those whose first sentence came before one of two positions.
  mutating func take(before position: ReadPosition) -> [Batch] {
    let old = open.filter { $0.value.begin.isBehind(position) }
    for key in old.keys { open[key] = nil }
    return old.values.sorted { $0.begin < $1.begin }
  }
}

extension OpenBatches.Batch {
  fileprivate func hasRoom(_ length: Int, _ limits: EngineLimits) -> Bool {
    let (count, longest) = (sentences.count + 1, max(self.length, length))
    let (area, overflows) = (longest * longest).multipliedReportingOverflow(by: count)
    return count <= limits.batchRows && tokens + length <= limits.batchTokens && !overflows
      && area <= limits.batchCells
  }
}

/// How far a source has been read, in documents and in bytes of their texts.
struct ReadPosition: Comparable, Sendable {
  var documents = 0
  var bytes = 0

  static func < (a: Self, b: Self) -> Bool { (a.documents, a.bytes) < (b.documents, b.bytes) }

  /// Whether it lies before another in documents or in bytes.
  func isBehind(_ other: Self) -> Bool { documents < other.documents || bytes < other.bytes }

  static func + (a: Self, b: Self) -> Self {
    Self(documents: a.documents + b.documents, bytes: a.bytes + b.bytes)
  }

  static func - (a: Self, b: Self) -> Self {
    Self(documents: a.documents - b.documents, bytes: a.bytes - b.bytes)
  }
}
