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
  case recognized
}

/// Many encodings in flat arrays that keep their memory from one use to the next.
///
/// Row `r` holds the tokens `rowStarts[r]..<rowStarts[r + 1]`; `starts` and `ends` are UTF-8 byte
/// offsets into that row's own text.
public struct EncodingBatch: Sendable {
  /// Where each row begins, and after the last row the end: `rowCount + 1` entries.
  public internal(set) var rowStarts: [Int] = [0]
  /// For each row how many tokens truncation left out.
  public internal(set) var droppedTokens: [Int] = []

  /// The memory, longer than its content: only the first `tokenCount` elements count.
  var room = Room()

  /// The tokens' arrays.
  struct Room: Sendable {
    var ids: [Int32] = []
    var starts: [UInt32] = []
    var ends: [UInt32] = []
  }

  /// An empty batch.
  public init() {}

  /// Token ids of all rows.
  public var ids: ArraySlice<Int32> { room.ids[..<tokenCount] }
  /// First source byte of each token.
  public var starts: ArraySlice<UInt32> { room.starts[..<tokenCount] }
  /// One past the last source byte of each token.
  public var ends: ArraySlice<UInt32> { room.ends[..<tokenCount] }

  /// The number of texts.
  public var rowCount: Int { rowStarts.count - 1 }
  /// The number of tokens in all rows.
  public var tokenCount: Int { rowStarts[rowStarts.count - 1] }

  /// A copy of one row. Traps unless `0 <= row < rowCount`.
  public subscript(row: Int) -> Encoding {
    let range = rowStarts[row]..<rowStarts[row + 1]
    return Encoding(
      ids: Array(room.ids[range]),
      offsets: range.map { Int(room.starts[$0])..<Int(room.ends[$0]) },
      droppedTokens: droppedTokens[row])
  }

  /// Forgets all rows and keeps the memory.
  public mutating func removeAll() {
    rowStarts.removeAll(keepingCapacity: true)
    rowStarts.append(0)
    droppedTokens.removeAll(keepingCapacity: true)
  }

  /// Makes room for `count` more tokens.
  mutating func reserve(_ count: Int) {
    let needed = tokenCount + count
    guard room.ids.count < needed else { return }
    let grown = max(needed, 2 * room.ids.count) - room.ids.count
    room.ids.append(contentsOf: repeatElement(0, count: grown))
    room.starts.append(contentsOf: repeatElement(0, count: grown))
    room.ends.append(contentsOf: repeatElement(0, count: grown))
  }
}
