/// BERT's WordPiece tokenizer with source offsets, equal to Hugging Face `tokenizers` 0.23
/// `BertWordPieceTokenizer(lowercase=True)` in ids and offsets on every input.
///
/// ```swift
/// let tokenizer = BertTokenizer(vocabulary: try Vocabulary(contentsOf: url))
/// let encoding = tokenizer.encode("周杰伦1979年生于台湾")
/// ```
public struct BertTokenizer: Sendable {
  /// The vocabulary whose ids it gives.
  public let vocabulary: Vocabulary
  /// How special tokens in a text are read.
  public let specialTokens: SpecialTokenPolicy

  let table: CharacterTable
  let trie: TokenTrie

  /// A tokenizer over a vocabulary; about 5 ms, and a few MB that all copies share.
  public init(vocabulary: Vocabulary, specialTokens: SpecialTokenPolicy = .text) {
    self.vocabulary = vocabulary
    self.specialTokens = specialTokens
    var ids: [UInt32: UInt32] = [:]
    ids.reserveCapacity(vocabulary.count)
    for (id, token) in vocabulary.tokens.enumerated() {
      let scalars = token.unicodeScalars
      guard let first = scalars.first, scalars.count == 1 else { continue }
      ids[first.value] = UInt32(id)
    }
    var table = CharacterTable.reference
    let unknown = UInt32(vocabulary.unknown)
    table.bindIsolated { ids[$0] ?? unknown }
    self.table = table
    trie = TokenTrie(vocabulary)
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
        batch.ids[first + count - 1] = vocabulary.separator
        batch.starts[first + count - 1] = 0
        batch.ends[first + count - 1] = 0
      }
      batch.rows.append(first + count)
      batch.droppedTokens.append(dropped)
    }
  }
}
