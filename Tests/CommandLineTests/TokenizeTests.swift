import DocumentIO
import Foundation
import GlobalPointer
import TestSupport
import Testing
import WordPiece

@testable import spo

@Suite struct TokenLineTests {
  private static let pieces = [
    "中", "é", "e\u{301}", "😀", "abc", "\"", "\\", "\t", " ", "1979", "年", "\u{FEFF}", "가", "q\u{1}",
  ]

  private static func tokenizer() throws -> BertTokenizer {
    let tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "中", "1979", "年", "\"", "\\", "ab", "##c"]
    // A token longer than a machine word, and ids of five digits.
    let long = ["##" + String(repeating: "z", count: 40)]
    let many = (0..<12_000).map { "filler\($0)" } + ["e", "😀"]
    return BertTokenizer(vocabulary: try Vocabulary(tokens: tokens + long + many))
  }

  /// A line made plainly, by Foundation's numbers and strings.
  private func plain(_ encoding: Encoding, _ text: String, _ tokens: [String], _ unit: OffsetUnit)
    -> NSDictionary
  {
    func units(_ byte: Int) -> Int {
      let front = String(decoding: Array(text.utf8).prefix(byte), as: UTF8.self)
      return switch unit {
      case .utf8: byte
      case .codepoint: front.unicodeScalars.count
      case .utf16: front.utf16.count
      }
    }
    var line: [String: Any] = [
      "ids": encoding.ids.map { Int($0) }, "tokens": encoding.ids.map { tokens[Int($0)] },
      "offset_unit": unit.rawValue,
      "offsets": encoding.offsets.map { [units($0.lowerBound), units($0.upperBound)] },
    ]
    if encoding.droppedTokens > 0 { line["dropped"] = encoding.droppedTokens }
    return line as NSDictionary
  }

  @Test(arguments: OffsetUnit.allCases)
  func `A line holds what a plain writer puts there`(_ unit: OffsetUnit) throws {
    let tokenizer = try Self.tokenizer()
    var lines = TokenLines(tokenizer.vocabulary, unit)
    var batch = EncodingBatch()
    var texts = (0..<200).map { _ in
      (0..<Int.random(in: 0...30)).map { _ in Self.pieces.randomElement()! }.joined()
    }
    texts += [
      "", String(repeating: "中", count: 10_100), String(repeating: "😀 ", count: 2_100),
      "中" + String(repeating: "z", count: 40),
    ]
    for (index, text) in texts.enumerated() {
      let truncation: Truncation = index % 3 == 0 ? .longest(7) : .none
      tokenizer.encode(CollectionOfOne(text), truncation: truncation, into: &batch)
      var out: [UInt8] = []
      lines.append(batch, text, to: &out)
      #expect(out.last == 0x0A && out.count { $0 == 0x0A } == 1)
      let got = try JSONSerialization.jsonObject(with: Data(out)) as? NSDictionary
      let encoding = tokenizer.encode(text, truncation: truncation)
      #expect(got == plain(encoding, text, tokenizer.vocabulary.tokens, unit), "\(text)")
    }
  }

  @Test func `Bytes are as they always were`() throws {
    let tokenizer = try Self.tokenizer()
    var lines = TokenLines(tokenizer.vocabulary, .codepoint)
    var batch = EncodingBatch()
    tokenizer.encode(CollectionOfOne("中\"😀"), truncation: .longest(4), into: &batch)
    var out: [UInt8] = []
    lines.append(batch, "中\"😀", to: &out)
    #expect(
      String(decoding: out, as: UTF8.self)
        == #"{"ids": [2, 4, 7, 3], "tokens": ["[CLS]", "中", "\"", "[SEP]"], "#
        + #""offset_unit": "codepoint", "offsets": [[0, 0], [0, 1], [1, 2], [0, 0]], "dropped": 1}"#
        + "\n")
  }
}

@Suite(.ownThread) struct RecordTests {
  @Test(arguments: OffsetUnit.allCases)
  func `What extract writes is read as a record`(_ unit: OffsetUnit) throws {
    let text = "😀一二三四\u{FEFF}é五"
    let run = try Run([
      "extract", "--quiet", "--bundle", Run.bundle, "--threshold=-100", "--offsets", unit.rawValue,
      "--text", text,
    ])
    let record = try JSONDecoder().decode(ExtractionRecord.self, from: Data(run.output.utf8))
    #expect(record.text.unicodeScalars.elementsEqual(text.unicodeScalars))
    #expect(!record.triples.isEmpty && record.offsetUnit == unit)
    for triple in record.triples {
      #expect(text[triple.subject] == triple.subject.text[...])
      #expect(triple.confidence == 1 / (1 + exp(-triple.score)))
    }
  }
}
