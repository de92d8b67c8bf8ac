/// BERT's WordPiece tokenizer with source offsets, equal to Hugging Face `tokenizers` 0.23
/// `BertWordPieceTokenizer(lowercase=True)` in ids and offsets on every input.
///
/// ```swift
/// let tokenizer = BertTokenizer(vocabulary: try Vocabulary(contentsOf: url))
/// let encoding = tokenizer.encode("周杰伦1979年生于台湾")
/// ```
public struct BertTokenizer: Sendable {
  /// The vocabulary whose ids it gives.
  public var vocabulary: Vocabulary { tables.vocabulary }
  /// How special tokens in a text are read.
  public let specialTokens: SpecialTokenPolicy

  let tables: Tables

  /// What all copies share, behind one reference: a scanner is made for each text.
  final class Tables: Sendable {
    let vocabulary: Vocabulary
    let characters: CharacterTable
    let trie: TokenTrie

    init(_ vocabulary: Vocabulary) {
      self.vocabulary = vocabulary
      characters = CharacterTable(boundTo: vocabulary)
      trie = TokenTrie(vocabulary)
    }
  }

  /// A tokenizer over a vocabulary; about 5 ms, and a few MB that all copies share.
  public init(vocabulary: Vocabulary, specialTokens: SpecialTokenPolicy = .text) {
    self.specialTokens = specialTokens
    tables = Tables(vocabulary)
  }

  /// Encodes one text.
  public func encode(_ text: String, truncation: Truncation = .none) -> Encoding {
    var batch = EncodingBatch()
    encode(CollectionOfOne(text), truncation: truncation, into: &batch)
    return batch[0]
  }

  /// Encodes texts into `batch`, one row each in order, after clearing it.
  ///
  /// Traps when a text has 2^32 bytes or more, or the truncation is to fewer than 2 tokens.
  public func encode(
    _ texts: some Collection<String>, truncation: Truncation = .none,
    into batch: inout EncodingBatch
  ) {
    if case .longest(let limit) = truncation { precondition(limit >= 2, "no room for [CLS] [SEP]") }
    batch.removeAll()
    var word: [WordScalar] = Array(repeating: WordScalar(), count: 128)
    for text in texts { append(text, truncation, &word, to: &batch) }
  }

  private func append(
    _ text: String, _ truncation: Truncation, _ word: inout [WordScalar],
    to batch: inout EncodingBatch
  ) {
    var text = text
    text.withUTF8 { bytes in
      precondition(bytes.count < UInt32.max, "a text must be shorter than 2^32 bytes")
      // No scalar gives more tokens than it has bytes: Hangul, the largest, gives three of three.
      batch.reserve(bytes.count + 2)
      let first = batch.tokenCount
      var count = scan(bytes, &word, into: &batch, at: first)
      var dropped = 0
      if case .longest(let limit) = truncation, count > limit {
        dropped = count - limit
        count = limit
        batch.room.ids[first + count - 1] = tables.vocabulary.separator
        batch.room.starts[first + count - 1] = 0
        batch.room.ends[first + count - 1] = 0
      }
      batch.rowStarts.append(first + count)
      batch.droppedTokens.append(dropped)
    }
  }
}
