/// One text as BERT's input: token ids, and where in the source each token came from.
public struct Encoding: Sendable, Equatable {
  /// Token ids, `[CLS]` first and `[SEP]` last.
  public var ids: [Int32]
  /// For each id the UTF-8 byte range of the source that it stands for; empty for `[CLS]`
  /// and `[SEP]`.
  public var offsets: [Range<Int>]
  /// How many tokens of the text were left out because of `Truncation.longest`.
  public var droppedTokens: Int

  /// All zero: one segment.
  public var tokenTypeIDs: [Int32] { Array(repeating: 0, count: ids.count) }
  /// All one: no padding.
  public var attentionMask: [Float] { Array(repeating: 1, count: ids.count) }
}

/// What to do with a text of more tokens than the caller has room for.
public enum Truncation: Sendable, Equatable {
  /// Keep every token.
  case none
  /// Keep at most this many tokens, `[CLS]` and `[SEP]` included (so at least 2); what is left
  /// out is counted in `droppedTokens`.
  case longest(Int)
}

/// How `[CLS]`, `[SEP]`, `[MASK]`, `[PAD]` and `[UNK]` in a user's text are read.
public enum SpecialTokenPolicy: Sendable, Equatable {
  /// As plain text, so that no input can forge a token. The default.
  case text
  /// As the tokens they name, which is the reference's own default.
  case recognised
}

/// Many encodings in flat arrays that keep their memory from one use to the next.
///
/// Row `r` holds the tokens `rows[r]..<rows[r + 1]`; `starts` and `ends` are UTF-8 byte offsets
/// into that row's own text. Only the first `tokenCount` elements of the arrays count.
public struct EncodingBatch: Sendable {
  /// Token ids of all rows.
  public internal(set) var ids: [Int32] = []
  /// First source byte of each token.
  public internal(set) var starts: [UInt32] = []
  /// One past the last source byte of each token.
  public internal(set) var ends: [UInt32] = []
  /// Where each row begins, and after the last row the end: `rowCount + 1` entries.
  public internal(set) var rows: [Int] = [0]
  /// For each row how many tokens truncation left out.
  public internal(set) var droppedTokens: [Int] = []

  /// An empty batch.
  public init() {}

  /// The number of texts.
  public var rowCount: Int { rows.count - 1 }
  /// The number of tokens in all rows.
  public var tokenCount: Int { rows[rows.count - 1] }

  /// A copy of one row. Traps unless `0 <= row < rowCount`.
  public subscript(row: Int) -> Encoding {
    let range = rows[row]..<rows[row + 1]
    return Encoding(
      ids: Array(ids[range]), offsets: range.map { Int(starts[$0])..<Int(ends[$0]) },
      droppedTokens: droppedTokens[row])
  }

  /// Forgets all rows and keeps the memory.
  public mutating func removeAll() {
    rows.removeAll(keepingCapacity: true)
    rows.append(0)
    droppedTokens.removeAll(keepingCapacity: true)
  }

  /// Makes room for `count` more tokens.
  mutating func reserve(_ count: Int) {
    let needed = tokenCount + count
    guard ids.count < needed else { return }
    let grown = max(needed, 2 * ids.count) - ids.count
    ids.append(contentsOf: repeatElement(0, count: grown))
    starts.append(contentsOf: repeatElement(0, count: grown))
    ends.append(contentsOf: repeatElement(0, count: grown))
  }
}
