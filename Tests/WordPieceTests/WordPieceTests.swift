import Foundation
import Testing

@testable import WordPiece

/// The RoBERTa-wwm vocabulary, where Scripts/test has fetched it.
let fullVocabulary = ProcessInfo.processInfo.environment["SPO_VOCABULARY"]

@Suite struct TokenizerTests {
  private func tokenizer(
    _ more: [String], _ policy: SpecialTokenPolicy = .text
  ) throws -> BertTokenizer {
    let tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + more
    return BertTokenizer(vocabulary: try Vocabulary(tokens: tokens), specialTokens: policy)
  }

  struct Golden: Decodable {
    let text: String
    let special: Bool
    let ids: [Int32]
    let offsets: [[Int]]
  }

  static func goldens() throws -> [Golden] {
    let url = try #require(
      Bundle.module.url(forResource: "Fixtures/goldens", withExtension: "json"))
    return try JSONDecoder().decode([Golden].self, from: Data(contentsOf: url))
  }

  @Test(.enabled(if: fullVocabulary != nil, "Scripts/test sets SPO_VOCABULARY"))
  func `Ids and offsets equal the reference's`() throws {
    let path = try #require(fullVocabulary)
    let vocabulary = try Vocabulary(contentsOf: URL(fileURLWithPath: path))
    #expect(vocabulary.count == 21_128)
    let goldens = try Self.goldens()
    #expect(goldens.count > 80)
    for golden in goldens {
      let policy: SpecialTokenPolicy = golden.special ? .recognized : .text
      let encoding = BertTokenizer(vocabulary: vocabulary, specialTokens: policy)
        .encode(golden.text)
      #expect(encoding.ids == golden.ids, "\(golden.text.debugDescription)")
      let offsets = encoding.offsets.map { [$0.lowerBound, $0.upperBound] }
      #expect(offsets == golden.offsets, "\(golden.text.debugDescription)")
    }
  }

  @Test func `Offsets cut the source at the tokens`() throws {
    let tokenizer = try tokenizer(["周", "杰", "伦", "1979", "年", "ab", "##c", "，"])
    let text = "周杰伦，1979年 ABc"
    let encoding = tokenizer.encode(text)
    let bytes = Array(text.utf8)
    let pieces = encoding.offsets.map { String(decoding: bytes[$0], as: UTF8.self) }
    #expect(pieces == ["", "周", "杰", "伦", "，", "1979", "年", "AB", "c", ""])
    #expect(encoding.ids == [2, 5, 6, 7, 12, 8, 9, 10, 11, 3])
  }

  @Test func `Truncation keeps SEP and reports what it drops`() throws {
    let tokenizer = try tokenizer(["一", "二", "三"])
    let cut = tokenizer.encode("一二三一二三", truncation: .longest(5))
    #expect(cut.ids == [2, 5, 6, 7, 3])
    #expect(cut.droppedTokens == 3)
    #expect(cut.offsets.last == 0..<0)
    #expect(tokenizer.encode("一二三", truncation: .longest(5)).droppedTokens == 0)
    #expect(tokenizer.encode("一", truncation: .longest(2)).ids == [2, 3])
  }

  @Test func `A typed special token is text by default and a token on request`() throws {
    let more = ["[", "]", "sep", "一"]
    #expect(try tokenizer(more).encode("一[SEP]一").ids == [2, 8, 5, 7, 6, 8, 3])
    #expect(try tokenizer(more, .recognized).encode("一[SEP]一").ids == [2, 8, 3, 8, 3])
    #expect(try tokenizer(more, .recognized).encode("[SEP").ids == [2, 5, 7, 3])
  }

  @Test func `A reused batch gives what single calls give`() throws {
    let tokenizer = try tokenizer(["一", "二", "三", "abc"])
    var batch = EncodingBatch()
    for texts in [["一二三", "", "abc x"], ["二"], [], ["三三三三三三三三", "一"]] {
      tokenizer.encode(texts, into: &batch)
      #expect(batch.rowCount == texts.count)
      for (row, text) in texts.enumerated() { #expect(batch[row] == tokenizer.encode(text)) }
    }
  }

  @Test func `Bug: a batch's arrays were longer than its content`() throws {
    let tokenizer = try tokenizer(["一", "二"])
    var batch = EncodingBatch()
    tokenizer.encode(["一二一二一二", "二"], into: &batch)
    tokenizer.encode(["一", "二"], truncation: .longest(2), into: &batch)
    #expect(Array(batch.ids) == [2, 3, 2, 3] && batch.rowStarts == [0, 2, 4])
    #expect(batch.starts.count == 4 && batch.ends.count == 4 && batch.tokenCount == 4)
    #expect(EncodingBatch().ids.isEmpty)
  }

  @Test func `A word of more than a hundred scalars is one UNK over all of it`() throws {
    let tokenizer = try tokenizer(["a", "##a"])
    let hundred = tokenizer.encode(String(repeating: "a", count: 100))
    #expect(hundred.ids.count == 102)
    let more = tokenizer.encode(String(repeating: "a", count: 50_000))
    #expect(more.ids == [2, 1, 3])
    #expect(more.offsets[1] == 0..<50_000)
  }

  @Test func `Tokens that Swift takes for equal strings keep their own ids`() throws {
    // U+2126 OHM SIGN and U+03A9 are canonically equivalent.
    let vocabulary = try Vocabulary(
      tokens: ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "\u{2126}", "\u{3A9}"])
    #expect(vocabulary.id(of: "\u{2126}") == 4)
    #expect(vocabulary.id(of: "\u{3A9}") == 5)
  }

  @Test func `A vocabulary without SEP is refused by name`() {
    #expect(throws: VocabularyError.missingSpecialToken("[SEP]", count: 3)) {
      try Vocabulary(tokens: ["[PAD]", "[UNK]", "[CLS]"])
    }
  }

  private func vocabulary(_ bytes: some Sequence<UInt8>, atMost limit: Int) throws -> Vocabulary {
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try Data(bytes).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    return try Vocabulary(contentsOf: file, atMost: limit)
  }

  @Test func `A vocabulary's line is a token, whatever ends it`() throws {
    let text = "\u{FEFF}[PAD]\r\n[UNK] \n[CLS]\t\n[SEP]\n\n中\u{A0}\n\nb"
    let vocabulary = try vocabulary(text.utf8, atMost: 8)
    #expect(vocabulary.tokens == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "", "中\u{A0}", "", "b"])
    #expect(vocabulary.padding == 0 && vocabulary.id(of: "b") == 7)
  }

  @Test func `Bug: a vocabulary of too many tokens was read whole before they were counted`() {
    let special = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n"
    for text in [special + "a\nb", special + "a\nb\n"] {
      #expect(throws: Never.self) { try vocabulary(text.utf8, atMost: 6) }
      #expect { try vocabulary(text.utf8, atMost: 5) } throws: {
        "\($0)".contains("has 6 tokens, expected at most 5")
      }
    }
    let long = special + String(repeating: "x", count: Vocabulary.longestToken + 1)
    #expect { try vocabulary(long.utf8, atMost: 9) } throws: {
      "\($0)".contains("line 5 has 4097 bytes")
    }
  }

  @Test func `A token that a vocabulary has twice is named with both lines`() {
    let text = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n离\nb\n离\n"
    #expect { try vocabulary(text.utf8, atMost: 9) } throws: {
      "\($0)".contains("has 离 twice, in lines 5 and 7")
    }
  }

  @Test func `A vocabulary that is no file of text is named as what it is`() {
    for (path, words) in [("/dev/zero", "a device"), ("/tmp", "a directory")] {
      #expect { try Vocabulary(contentsOf: URL(filePath: path)) } throws: {
        "\($0)".contains(words)
      }
    }
    #expect { try vocabulary([0xFF, 0xFE, 0x5B, 0], atMost: 9) } throws: {
      "\($0)".contains("UTF-16")
    }
    #expect { try vocabulary([0x61, 0xFF], atMost: 9) } throws: {
      "\($0)".contains("not valid UTF-8")
    }
  }
}
