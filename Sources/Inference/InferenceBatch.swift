public import GlobalPointer

/// Sentences of different lengths, one after the other: no padding.
public struct InferenceBatch: Sendable, Hashable {
  /// Token ids of all rows, `[CLS]` first and `[SEP]` last in each.
  public private(set) var ids: [Int32] = []
  /// Where each row begins in `ids`, and the end: `rowCount + 1` entries.
  public private(set) var rowStarts: [Int] = [0]
  /// The length that an engine which pads shall pad to; nil takes the longest row's.
  public var paddedLength: Int?

  /// An empty batch.
  public init() {}

  /// A batch of the given rows.
  public init(_ rows: some Sequence<[Int32]>) {
    for row in rows { append(row) }
  }

  /// Adds one sentence.
  public mutating func append(_ sentence: some Sequence<Int32>) {
    ids.append(contentsOf: sentence)
    rowStarts.append(ids.count)
  }

  /// The number of sentences.
  public var rowCount: Int { rowStarts.count - 1 }

  /// The tokens of one row as a range of `ids`. Traps unless `0 <= row < rowCount`.
  public func range(of row: Int) -> Range<Int> { rowStarts[row]..<rowStarts[row + 1] }

  /// Some of its rows, padded as it is. Traps unless they lie within `0..<rowCount`.
  public func rows(_ range: Range<Int>) -> InferenceBatch {
    var part = InferenceBatch()
    part.paddedLength = paddedLength
    for row in range { part.append(ids[self.range(of: row)]) }
    return part
  }

  /// The rows of one batch and then those of another, padded as the first.
  public static func + (first: InferenceBatch, second: InferenceBatch) -> InferenceBatch {
    var both = first
    for row in 0..<second.rowCount { both.append(second.ids[second.range(of: row)]) }
    return both
  }
}

/// A triple whose logits are asked for.
public struct TripleQuery: Sendable, Hashable {
  /// The predicate's id.
  public var predicate: Int
  /// The subject's tokens.
  public var subject: TokenSpan
  /// The object's tokens.
  public var object: TokenSpan

  /// A question about one triple.
  public init(predicate: Int, subject: TokenSpan, object: TokenSpan) {
    (self.predicate, self.subject, self.object) = (predicate, subject, object)
  }
}
