/// One normalised scalar of the word being read, and the source bytes it came from.
struct WordScalar {
  var scalar: UInt32 = 0
  var start: UInt32 = 0
  var end: UInt32 = 0
}

extension BertTokenizer {
  /// Writes the tokens of `bytes`, `[CLS]` and `[SEP]` around them, from index `first` of the
  /// batch's arrays, and returns their number. The arrays must have room for `bytes.count + 2`.
  func scan(
    _ bytes: UnsafeBufferPointer<UInt8>, _ word: inout [WordScalar],
    into batch: inout EncodingBatch, at first: Int
  ) -> Int {
    // The scanner's pointers live only inside these closures.
    batch.room.ids.withUnsafeMutableBufferPointer { ids in
      batch.room.starts.withUnsafeMutableBufferPointer { starts in
        batch.room.ends.withUnsafeMutableBufferPointer { ends in
          tables.characters.pages.withUnsafeBufferPointer { pages in
            tables.characters.entries.withUnsafeBufferPointer { entries in
              var scanner = Scanner(
                tables: tables, readsSpecial: specialTokens == .recognized, bytes: bytes,
                pages: pages.baseAddress!,
                entries: entries.baseAddress!, ids: ids.baseAddress! + first,
                starts: starts.baseAddress! + first, ends: ends.baseAddress! + first,
                capacity: ids.count - first)
              swap(&scanner.word, &word)
              scanner.run()
              swap(&scanner.word, &word)
              return scanner.count
            }
          }
        }
      }
    }
  }
}

/// One pass over the UTF-8 bytes of a text: a class for each scalar from the table, ideographs
/// and punctuation straight to their ids, the rest gathered into words for the trie.
///
/// The bytes are a Swift string's, so they are valid UTF-8 and decoding needs no checks.
private struct Scanner {
  let tables: BertTokenizer.Tables
  let readsSpecial: Bool
  let bytes: UnsafeBufferPointer<UInt8>
  let pages: UnsafePointer<UInt16>
  let entries: UnsafePointer<UInt32>
  let ids: UnsafeMutablePointer<Int32>
  let starts: UnsafeMutablePointer<UInt32>
  let ends: UnsafeMutablePointer<UInt32>
  /// Tokens that the arrays have room for.
  let capacity: Int

  var count = 0
  var word: [WordScalar] = []
  var wordCount = 0
  /// Combining marks since the last starter; rare, so the common path only asks if it is empty.
  var marks = MarkRun()

  init(
    tables: BertTokenizer.Tables, readsSpecial: Bool, bytes: UnsafeBufferPointer<UInt8>,
    pages: UnsafePointer<UInt16>,
    entries: UnsafePointer<UInt32>, ids: UnsafeMutablePointer<Int32>,
    starts: UnsafeMutablePointer<UInt32>, ends: UnsafeMutablePointer<UInt32>, capacity: Int
  ) {
    (self.tables, self.readsSpecial, self.bytes) = (tables, readsSpecial, bytes)
    (self.pages, self.entries) = (pages, entries)
    (self.ids, self.starts, self.ends, self.capacity) = (ids, starts, ends, capacity)
  }

  mutating func run() {
    emit(UInt32(tables.vocabulary.classifier), 0, 0)
    var at = 0
    while at < bytes.count {
      if readsSpecial, bytes[at] == UInt8(ascii: "["), let next = special(at) {
        at = next
        continue
      }
      let (scalar, next) = decode(at)
      take(scalar, UInt32(at), UInt32(next))
      at = next
    }
    flush()
    emit(UInt32(tables.vocabulary.separator), 0, 0)
  }

  @inline(__always)
  private func decode(_ at: Int) -> (scalar: UInt32, next: Int) {
    let lead = UInt32(bytes[at])
    if lead < 0x80 { return (lead, at + 1) }
    let second = UInt32(bytes[at + 1]) & 0x3F
    if lead < 0xE0 { return ((lead & 0x1F) << 6 | second, at + 2) }
    let third = UInt32(bytes[at + 2]) & 0x3F
    if lead < 0xF0 { return ((lead & 0xF) << 12 | second << 6 | third, at + 3) }
    let fourth = UInt32(bytes[at + 3]) & 0x3F
    return ((lead & 0x7) << 18 | second << 12 | third << 6 | fourth, at + 4)
  }

  @inline(__always)
  private mutating func take(_ scalar: UInt32, _ start: UInt32, _ end: UInt32) {
    let page = Int(pages[Int(scalar >> 8)])
    let entry = entries[page << 8 | Int(scalar & 0xFF)]
    let payload = entry & CharacterEntry.payloadMask
    switch entry >> 29 {
    case CharacterEntry.Kind.isolated.rawValue:
      if wordCount > 0 || !marks.isEmpty { flush() }
      emit(payload, start, end)
    case CharacterEntry.Kind.word.rawValue:
      if !marks.isEmpty { endMarks() }
      append(payload == 0 ? scalar : payload, start, end)
    case CharacterEntry.Kind.space.rawValue:
      if wordCount > 0 || !marks.isEmpty { flush() }
    case CharacterEntry.Kind.dropped.rawValue:
      if payload > 0 { marks.take(nil, payload, start, end, isOwn: true) }
    default:
      takeRare(entry, scalar, start, end)
    }
  }

  @inline(never)
  private mutating func takeRare(_ entry: UInt32, _ scalar: UInt32, _ start: UInt32, _ end: UInt32)
  {
    let payload = entry & CharacterEntry.payloadMask
    switch entry >> 29 {
    case CharacterEntry.Kind.mark.rawValue:
      marks.take(payload & 0x1F_FFFF, payload >> 21, start, end, isOwn: true)
    case CharacterEntry.Kind.hangul.rawValue:
      endMarks()
      let (leading, vowel, trailing) = HangulSyllable.jamo(scalar)
      append(leading, start, end)
      append(vowel, start, end)
      if let trailing { append(trailing, start, end) }
    case CharacterEntry.Kind.expanded.rawValue:
      for (index, result) in tables.characters.expansions[Int(payload)].enumerated() {
        takeResult(result & 0xFF_FFFF, result >> 24, start, end, isOwn: index == 0)
      }
    default:
      endMarks()
    }
  }

  /// One of the several scalars that a scalar decomposes to; `isOwn` is true for the first.
  private mutating func takeResult(
    _ scalar: UInt32, _ kind: UInt32, _ start: UInt32, _ end: UInt32, isOwn: Bool
  ) {
    if let combining = tables.characters.combiningClasses[scalar] {
      marks.take(scalar, combining, start, end, isOwn: isOwn)
      return
    }
    switch CharacterEntry.Kind(rawValue: kind) {
    case .isolated:
      flush()
      let text = String(Unicode.Scalar(scalar)!)  // results of the table are scalars
      emit(UInt32(tables.vocabulary.id(of: text) ?? tables.vocabulary.unknown), start, end)
    case .space:
      flush()
    default:
      endMarks()
      append(scalar, start, end)
    }
  }

  private mutating func endMarks() {
    if marks.isEmpty { return }
    for mark in marks.finish() { append(mark.scalar, mark.start, mark.end) }
  }

  @inline(__always)
  private mutating func append(_ scalar: UInt32, _ start: UInt32, _ end: UInt32) {
    if wordCount == word.count {
      word.append(contentsOf: repeatElement(WordScalar(), count: wordCount))
    }
    word[wordCount] = WordScalar(scalar: scalar, start: start, end: end)
    wordCount += 1
  }

  @inline(__always)
  private mutating func emit(_ id: UInt32, _ start: UInt32, _ end: UInt32) {
    assert(count < capacity, "no scalar gives more tokens than it has bytes")
    assert(start <= end && Int(end) <= bytes.count, "a token's bytes are the text's")
    ids[count] = Int32(bitPattern: id)
    starts[count] = start
    ends[count] = end
    count += 1
  }

  /// The longest word, in scalars, that the reference tries to spell.
  private static let longestWord = 100

  /// Ends the word: greedy longest match, or one [UNK] for all of it.
  private mutating func flush() {
    endMarks()
    guard wordCount > 0 else { return }
    let firstToken = count
    if wordCount > Self.longestWord || !spell() {
      count = firstToken
      emit(UInt32(tables.vocabulary.unknown), word[0].start, word[wordCount - 1].end)
    }
    wordCount = 0
  }

  /// Emits the tokens of the word; false as soon as a part matches none.
  private mutating func spell() -> Bool {
    tables.trie.withLookup { trie in
      var at = 0
      while at < wordCount {
        var node = at == 0 ? TokenTrie.start : TokenTrie.continuation
        var best = TokenTrie.none
        var bestEnd = at
        var next = at
        while next < wordCount, let child = trie.child(of: node, word[next].scalar) {
          node = child
          next += 1
          if trie.ids[Int(node)] != TokenTrie.none {
            best = trie.ids[Int(node)]
            bestEnd = next
          }
        }
        if best == TokenTrie.none { return false }
        emit(best, word[at].start, word[bestEnd - 1].end)
        at = bestEnd
      }
      return true
    }
  }

  /// The end of a special token written at `at`, emitted; nil when there is none.
  private mutating func special(_ at: Int) -> Int? {
    for name in ["[CLS]", "[SEP]", "[MASK]", "[PAD]", "[UNK]"] {
      guard bytes.count - at >= name.utf8.count,
        bytes[at..<at + name.utf8.count].elementsEqual(name.utf8),
        let id = tables.vocabulary.id(of: name)
      else { continue }
      flush()
      emit(UInt32(id), UInt32(at), UInt32(at + name.utf8.count))
      return at + name.utf8.count
    }
    return nil
  }
}
