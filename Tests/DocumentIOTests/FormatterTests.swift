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

  private func object(_ record: SourceRecord) throws -> String {
    var out: [UInt8] = []
    ResultFormatter(format: .jsonl).append(record, [], windows: 2, to: &out)
    return String(decoding: out, as: UTF8.self)
  }

  @Test("Bug: an output record held one name twice")
  func names() throws {
    let names = ["source", "input_source", "windows", "error", "id", "id", "input_input_source"]
    let record = SourceRecord(
      location: SourceLocation(file: "a", line: 1, byte: 0), text: "一",
      carried: names.enumerated().map { CarriedField(name: $1, json: "\($0)") })
    let line = try object(record)
    let written = line.matches(of: #/"([a-z_]+)": \d/#).map { String($0.1) }
    #expect(
      Set(written).isSuperset(of: [
        "input_input_input_source", "input_source", "input_windows", "input_error", "id",
        "input_input_source",
      ]))
    #expect(written.count == Set(written).count)
    #expect(line.contains("\"id\": 5") && line.contains("\"input_source\": 1"))
  }

  @Test("Error records carry the other fields of the input")
  func errors() {
    var out: [UInt8] = []
    let reject = Reject(record, reason: "no")
    #expect(ResultFormatter(format: .jsonl).append(reject, to: &out))
    #expect(
      String(decoding: out, as: UTF8.self)
        == #"{"source": {"file": "a.txt", "line": 3, "byte": 40}, "error": "no", "id": 1.50, "input_text": 2}"#
        + "\n")
  }

  @Test("A reject's line holds its bytes and its fields")
  func rejects() {
    var out: [UInt8] = []
    let place = SourceLocation(file: "a", line: 1, byte: 0)
    let fields = [CarriedField(name: "id", json: "7")]
    appendReject(Reject(location: place, reason: "r", raw: [0xFF], carried: fields), to: &out)
    #expect(
      String(decoding: out, as: UTF8.self)
        == #"{"source": {"file": "a", "line": 1, "byte": 0}, "reason": "r", "bytes": 1, "#
        + #""raw_base64": "/w==", "fields": {"id": 7}}"# + "\n")
  }

  @Test("TSV has no quotes: what would end a field is escaped")
  func tsv() {
    var out: [UInt8] = []
    appendTSV("a\"b\tc\nd\\e\r", to: &out)
    #expect(String(decoding: out, as: UTF8.self) == #"a"b\tc\nd\\e\r"#)
  }

  @Test("For Excel there is a mark, and no text that it takes for a formula")
  func excel() {
    let record = SourceRecord(
      location: SourceLocation(file: "=a", line: 1, byte: 0), text: "=HYPERLINK张宇")
    let triple = Triple(
      subject: Mention(text: "=HYPERLINK", range: 0..<10), predicate: "作曲", predicateID: 1,
      object: Mention(text: "张宇", range: 10..<16), types: nil,
      parts: ScoreParts(subject: -4, object: -3, head: -1.5, tail: -2))
    func lines(_ isForExcel: Bool) -> [String] {
      var out: [UInt8] = []
      let formatter = ResultFormatter(format: .csv, isForExcel: isForExcel)
      formatter.appendHeader(to: &out)
      formatter.append(record, [triple], windows: 1, to: &out)
      return String(decoding: out, as: UTF8.self).split(separator: "\n").map(String.init)
    }
    #expect(lines(true)[0].unicodeScalars.first == "\u{FEFF}")
    #expect(lines(true)[1].hasPrefix("'=a,1,'=HYPERLINK,0,10,作曲,张宇,10,12,-4.0,"))
    #expect(lines(false)[0].hasPrefix("file") && lines(false)[1].hasPrefix("=a,1,=HYPERLINK"))
  }

  @Test("Bug: one triple of several mentions took several lines on the terminal")
  func mentions() {
    var better = triple
    better.parts = ScoreParts(subject: 9, object: 9, head: 9, tail: 9)
    var out: [UInt8] = []
    ResultFormatter(format: .pretty).append(record, [triple, better, triple], windows: 1, to: &out)
    #expect(
      String(decoding: out, as: UTF8.self)
        == "😀《离\"开》张宇\n  离\"开  --歌手-->  张宇   100% (3 mentions)\n\n")
  }

  @Test("Bug: control characters of a text steered the terminal")
  func control() {
    #expect(
      terminalText("a\u{1B}[2Jb\u{9B}c\u{7F}\r\n\t一😀") == "a\\u001b[2Jb\\u009bc\\u007f\\r\\n\\t一😀")
    #expect(terminalText("a\u{202E}b\u{2066}") == "a\\u202eb\\u2066")
    let record = SourceRecord(
      location: SourceLocation(file: "a", line: 1, byte: 0), text: "离\u{1B}开")
    var hostile = triple
    hostile.subject = Mention(text: "离\u{1B}", range: 0..<4)
    var out: [UInt8] = []
    ResultFormatter(format: .pretty).append(record, [hostile], windows: 1, to: &out)
    #expect(!out.contains(0x1B))
  }
}
