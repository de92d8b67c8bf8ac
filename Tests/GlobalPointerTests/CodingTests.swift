import Foundation
import Testing

@testable import GlobalPointer

@Suite struct CodingTests {
  private static let text = "😀《离开》张宇é"
  private static let triple = Triple(
    subject: Mention(text: "离开", range: 7..<13), predicate: "歌手", predicateID: 3,
    object: Mention(text: "张宇", range: 16..<22), types: .init(subject: "歌曲", object: "人物"),
    parts: ScoreParts(subject: 4.1, object: 3, head: 1.7, tail: 2), temperature: 1.3)

  private func json(_ value: some Encodable) throws -> [String: Any] {
    let data = try JSONEncoder().encode(value)
    return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  private func decoded<Value: Codable>(_ value: Value) throws -> Value {
    try JSONDecoder().decode(Value.self, from: JSONEncoder().encode(value))
  }

  @Test func `A triple comes back as it was, with and without types`() throws {
    var plain = Self.triple
    plain.types = nil
    for triple in [Self.triple, plain] {
      #expect(try decoded(triple) == triple)
      #expect(try decoded([triple]) == [triple])
    }
    #expect(try decoded(Self.triple.parts) == Self.triple.parts)
    #expect(try decoded(Self.triple.subject) == Self.triple.subject)
  }

  @Test func `A triple's JSON has the members of spo's lines, and states its unit`() throws {
    let fields = try json(Self.triple)
    #expect(
      Set(fields.keys) == [
        "subject", "predicate", "predicate_id", "object", "subject_type", "object_type", "score",
        "confidence", "parts", "temperature", "offset_unit",
      ])
    #expect(fields["offset_unit"] as? String == "utf8" && fields["score"] as? Double == 1.7)
    let subject = try #require(fields["subject"] as? [String: Any])
    #expect(subject["text"] as? String == "离开" && subject["start"] as? Int == 7)
    #expect(subject["end"] as? Int == 13 && subject.count == 3)
  }

  @Test func `A triple whose offsets count something else is refused`() throws {
    var fields = try json(Self.triple)
    fields["offset_unit"] = "codepoint"
    let other = try JSONSerialization.data(withJSONObject: fields)
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(Triple.self, from: other) }
    fields["offset_unit"] = nil
    let none = try JSONSerialization.data(withJSONObject: fields)
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(Triple.self, from: none) }
    for place in [#""start": 0, "end": 2"#, #""start": -6, "end": 0"#, #""start": 6, "end": 0"#] {
      let mention = Data(#"{"text": "离开", \#(place)}"#.utf8)
      #expect(throws: DecodingError.self) { try JSONDecoder().decode(Mention.self, from: mention) }
    }
  }

  @Test(arguments: [(OffsetUnit.utf8, 7, 13), (.codepoint, 2, 4), (.utf16, 3, 5)])
  func `A record writes offsets in its unit and reads them back as bytes`(
    _ unit: OffsetUnit, _ start: Int, _ end: Int
  ) throws {
    let record = ExtractionRecord(
      text: Self.text, triples: [Self.triple], offsetUnit: unit, windows: 2)
    #expect(try decoded(record) == record)
    let fields = try json(record)
    #expect(fields["version"] as? Int == 1 && fields["windows"] as? Int == 2)
    #expect(fields["offset_unit"] as? String == unit.rawValue)
    let triple = try #require((fields["triples"] as? [[String: Any]])?.first)
    let subject = try #require(triple["subject"] as? [String: Any])
    #expect(subject["start"] as? Int == start && subject["end"] as? Int == end)
  }

  /// As `spo extract` writes it.
  private let line = #"""
    {"source": {"file": "--text", "line": 1, "byte": 0}, "text": "😀《离开》张宇é", "offset_unit": \#
    "utf16", "triples": [{"subject": {"text": "离开", "start": 3, "end": 5}, "predicate": "歌手", \#
    "object": {"text": "张宇", "start": 6, "end": 8}, "subject_type": "歌曲", "object_type": "人物", \#
    "score": 1.7, "confidence": 0.787163}], "id": 1.50}
    """#

  @Test func `A line that spo wrote is read, and written again it says the same`() throws {
    let record = try JSONDecoder().decode(ExtractionRecord.self, from: Data(line.utf8))
    #expect(record.text == Self.text && record.offsetUnit == .utf16 && record.windows == 1)
    var entry = ExtractionRecord.Entry(Self.triple)
    entry.confidence = 0.787163
    #expect(record.triples == [entry])
    let written = try json(record) as NSDictionary
    let source = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? NSDictionary
    for name in ["text", "offset_unit", "triples"] {
      #expect(written[name] as? NSObject == source?[name] as? NSObject)
    }
  }

  @Test(arguments: [
    ("\"utf16\"", "\"codepoint\""), ("\"utf16\"", "\"bytes\""), ("\"end\": 5", "\"end\": 6"),
    ("\"start\": 3", "\"start\": 1"), ("\"end\": 8", "\"end\": 80"),
    ("\"start\": 6", "\"start\": -6"),
    ("\"id\": 1.50", "\"version\": 2"), ("\"score\": 1.7, ", ""),
    ("\"text\": \"张宇\"", "\"text\": \"張宇\""),
  ])
  func `A line whose offsets are not the mentions', or of another version, is refused`(
    _ piece: String, _ other: String
  ) {
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(
        ExtractionRecord.self, from: Data(line.replacing(piece, with: other).utf8))
    }
  }

  @Test(arguments: OffsetUnit.allCases)
  func `Offsets in a unit lead back to their byte, and within a scalar to none`(_ unit: OffsetUnit)
  {
    for text in ["", "ab", Self.text, "a\u{301}\u{FEFF}😀😀"] {
      let offset = OffsetConverter(text, unit)
      let starts = text.unicodeScalars.indices + [text.endIndex]
      for byte in starts.map({ text.utf8.distance(from: text.startIndex, to: $0) }) {
        #expect(offset.byte(at: offset(byte)) == byte)
      }
    }
    let pair = OffsetConverter("a😀", .utf16)
    #expect(pair.byte(at: 2) == nil && pair.byte(at: 4) == nil && pair.byte(at: -1) == nil)
  }

  @Test func `A text gives the characters at a mention's place`() {
    #expect(Self.text[Self.triple.subject] == "离开" && Self.text[Self.triple.object] == "张宇")
    #expect(Self.text.piece(0..<4) == "😀" && Self.text.piece(24..<24) == "")
    for range in [0..<3, 1..<4, 20..<30, -1..<2] { #expect(Self.text.piece(range) == nil) }
  }
}
