import Foundation
import GlobalPointer
import Testing

@testable import DocumentIO

@Suite struct FormatterTests {
  private let record = SourceRecord(
    location: SourceLocation(file: "a.txt", line: 3, byte: 40), text: "😀《离\"开》张宇",
    carried: [CarriedField(name: "id", json: "1.50"), CarriedField(name: "text", json: "2")])
  private let triple = Triple(
    subject: Mention(text: "离\"开", range: 7..<14), predicate: "歌手", predicateID: 3,
    object: Mention(text: "张宇", range: 17..<23), types: .init(subject: "歌曲", object: "人物"),
    parts: ScoreParts(subject: 4, object: 3, head: 1.5, tail: 2))

  private func written(_ format: ResultFormat, _ unit: OffsetUnit = .codepoint) -> String {
    var out: [UInt8] = []
    let formatter = ResultFormatter(format: format, unit: unit)
    formatter.appendHeader(to: &out)
    formatter.append(record, [triple, triple], windows: 1, to: &out)
    return String(decoding: out, as: UTF8.self)
  }

  @Test func `A JSON record is valid and has what the documentation lists`() throws {
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(written(.jsonl).utf8)) as? [String: Any])
    #expect(object["offset_unit"] as? String == "codepoint")
    #expect(object["id"] as? Double == 1.5)
    #expect(object["text"] as? String == record.text)
    #expect(object["input_text"] as? Int == 2)
    let first = try #require((object["triples"] as? [[String: Any]])?.first)
    let subject = try #require(first["subject"] as? [String: Any])
    #expect(subject["start"] as? Int == 2)
    #expect(subject["end"] as? Int == 5)
    #expect(first["subject_type"] as? String == "歌曲")
    #expect(first["score"] as? Double == 1.5)
  }

  @Test(arguments: [(Float(1), 0.817_574), (2, 0.679_179)])
  func `Confidence is the sigmoid of the score over the temperature`(
    temperature: Float, expected: Double
  ) {
    var triple = triple
    triple.temperature = temperature
    #expect(abs(Double(triple.confidence) - expected) < 1e-6)
  }

  @Test(arguments: [(OffsetUnit.utf8, 7, 14), (.codepoint, 2, 5), (.utf16, 3, 6)])
  func `Offsets count what their unit says`(unit: OffsetUnit, start: Int, end: Int) {
    #expect(written(.jsonl, unit).contains("\"start\": \(start), \"end\": \(end)}"))
  }

  @Test func `DuIE's form holds each triple once`() {
    #expect(
      written(.duie)
        == #"{"text": "😀《离\"开》张宇", "spo_list": [{"subject": "离\"开", "predicate": "歌手", "#
        + #""object": "张宇"}]}"# + "\n")
  }

  @Test func `CSV quotes what it must`() {
    let lines = written(.csv).split(separator: "\n")
    #expect(lines[0].hasPrefix("file,line,subject,subject_start_codepoint"))
    #expect(lines[1].hasPrefix("a.txt,3,\"离\"\"开\",2,5,歌手,张宇,6,8,1.5,0.81"))
    #expect(lines.count == 3)
  }

  @Test func `Control characters are escaped`() {
    var out: [UInt8] = []
    appendJSON("a\u{0}\u{1F}\n\t\\", to: &out)
    #expect(String(decoding: out, as: UTF8.self) == #""a\u0000\u001f\n\t\\""#)
  }
}
