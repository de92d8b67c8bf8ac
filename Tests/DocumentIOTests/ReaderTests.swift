import Foundation
import TestSupport
import Testing

@testable import DocumentIO

@Suite struct ReaderTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func items(
    _ name: String, _ bytes: some Sequence<UInt8>,
    _ edit: (inout RecordReader.Options) -> Void = { _ in }
  ) throws -> [InputItem] {
    var options = RecordReader.Options()
    edit(&options)
    return try DocumentIOTests.items(FileName(scratch.file(name, bytes)), options)
  }

  private func texts(_ items: [InputItem]) -> [String] { shown(items) }

  @Test func `Lines keep their numbers and byte offsets`() throws {
    let items = try items("a.txt", "一\r\n二三\n\n四".utf8)
    #expect(texts(items) == ["一", "二三", "! the line is empty", "四"])
    guard case .record(let last) = items[3] else { return #expect(Bool(false)) }
    #expect(last.location.line == 4)
    #expect(last.location.byte == 13)
  }

  @Test func `An empty file has no records`() throws {
    #expect(try items("empty.txt", [UInt8]()).isEmpty)
    #expect(try items("empty.jsonl", [UInt8]()).isEmpty)
    #expect(try items("empty.csv", [UInt8]()).isEmpty)
  }

  @Test func `Invalid UTF-8 is rejected with its place and its bytes`() throws {
    let bytes: [UInt8] = [0xE4, 0xB8, 0x80, 0xFF, 0x41, 0x0A] + Array("好".utf8)
    let items = try items("bad.txt", bytes)
    guard case .reject(let reject) = items[0] else { return #expect(Bool(false)) }
    #expect(reject.reason.contains("byte 3 of it is 0xff"))
    #expect(reject.raw == Array(bytes.prefix(5)))
    #expect(texts(items)[1] == "好")
  }

  @Test func `NUL bytes are text, and the offsets count them`() throws {
    #expect(try texts(items("nul.txt", "一\0二\n".utf8)) == ["一\0二"])
  }

  @Test func `A line over the limit is rejected with its length, and the next is read`() throws {
    let long = Array(repeating: UInt8(ascii: "a"), count: 200_000)
    let items = try items("long.txt", long + [0x0A] + Array("好\n".utf8)) {
      $0.longestRecord = 1_000
    }
    guard case .reject(let reject) = items[0] else { return #expect(Bool(false)) }
    #expect(reject.byteCount == 200_000)
    #expect(reject.raw.count == 1_000)
    #expect(texts(items)[1] == "好")
  }

  @Test func `JSON Lines carry their other fields as they were written`() throws {
    let line = #"{"id": 1.50, "text": "\u4e00\"二", "tags": ["a", {"b": "}"}], "n": null}"#
    guard case .record(let record) = try items("a.jsonl", (line + "\n").utf8)[0] else {
      return #expect(Bool(false))
    }
    #expect(record.text == "一\"二")
    #expect(record.carried.map(\.name) == ["id", "tags", "n"])
    #expect(record.carried.map(\.json) == ["1.50", #"["a", {"b": "}"}]"#, "null"])
  }

  @Test func `Bad JSON is told what is wrong`() throws {
    let lines = ["{", "[1]", #"{"body": "一"}"#, #"{"text": 1}"#, #"{"text": "好"}"#]
    let found = try texts(items("b.jsonl", lines.joined(separator: "\n").utf8))
    #expect(found[0].contains("not a JSON object"))
    #expect(found[1].contains("not a JSON object"))
    #expect(found[2].contains("no field \"text\"") && found[2].contains("body"))
    #expect(found[3].contains("not a string"))
    #expect(found[4] == "好")
  }

  @Test func `CSV by RFC 4180, with quotes and line feeds inside`() throws {
    let csv = "id,text\n1,\"一,\"\"二\"\"\n三\"\n2,四,五\n3,\"六\"x\n4,七\n"
    let items = try items("a.csv", csv.utf8)
    #expect(texts(items).first == "一,\"二\"\n三")
    #expect(texts(items)[1].contains("3 fields"))
    #expect(texts(items)[2].contains("quote"))
    guard case .record(let last) = items[3] else { return #expect(Bool(false)) }
    #expect(last.text == "七")
    #expect(last.carried == [CarriedField(name: "id", json: "\"4\"")])
    #expect(last.location.line == 6)
  }
}

@Suite struct RecordRuleTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func found(
    _ name: String, _ text: String, format: InputFormat? = nil, limit: Int? = nil
  ) throws -> [InputItem] {
    var options = RecordReader.Options()
    options.format = format
    if let limit { options.longestRecord = limit }
    return try items(FileName(scratch.file(name, text.utf8)), options)
  }

  private func reject(_ item: InputItem) -> Reject? {
    if case .reject(let reject) = item { reject } else { nil }
  }

  private func carried(_ item: InputItem) -> [String] {
    let fields =
      switch item {
      case .record(let record): record.carried
      case .reject(let reject): reject.carried
      case .notice: [CarriedField]()
      }
    return fields.map { "\($0.name)=\($0.json)" }
  }

  @Test("TSV has no quotes")
  func tsv() throws {
    let items = try found("a.tsv", "id\ttext\n1\t屏\"大\n2\t\"好\n3\t\"\"\n4\ta\"b\"\r\n")
    #expect(shown(items) == ["屏\"大", "\"好", "\"\"", "a\"b\""])
    #expect(carried(items[1]) == [#"id="2""#])
  }

  @Test("An empty text is a reject in every format, one of blanks is a document")
  func emptyText() throws {
    #expect(shown(try found("a.txt", "\n  \n一\n")) == ["! the line is empty", "  ", "一"])
    #expect(
      shown(try found("a.jsonl", "{\"text\":\"\",\"id\":1}\n{\"text\":\"  \"}\n"))
        == ["! the text is empty", "  "])
    #expect(shown(try found("a.csv", "id,text\n1,\"\"\n2,  \n")) == ["! the text is empty", "  "])
    #expect(shown(try found("a.tsv", "id\ttext\n1\t\n2\t  \n")) == ["! the text is empty", "  "])
    #expect(
      shown(try found("b.csv", "text\n\n一\n\"\"\n")) == [
        "! the line is empty", "一", "! the text is empty",
      ])
  }

  @Test("Bug: an empty last line of JSONL, CSV and TSV was a reject")
  func blankLines() throws {
    #expect(shown(try found("a.jsonl", "{\"text\":\"一\"}\n\n \t\r\n\n")) == ["一"])
    #expect(
      shown(try found("b.jsonl", "{\"text\":\"一\"}\n\n{\"text\":\"二\"}\n\n"))
        == ["一", "! the line is empty", "二"])
    #expect(shown(try found("a.csv", "text\n一\n\r\n\n")) == ["一"])
    #expect(shown(try found("a.tsv", "text\n一\n\n二\n\n")) == ["一", "! the line is empty", "二"])
  }

  @Test("Bug: of fields with one name the first was taken, and all were written")
  func duplicates() throws {
    let items = try found(
      "a.jsonl", #"{"text":"一","id":1,"text":"二","\u0069d":2,"e"# + "\u{301}\":3,\"\u{e9}\":4}\n")
    #expect(shown(items) == ["二"])
    // Names that Swift takes for equal, but other programs do not, are two.
    #expect(carried(items[0]).map { $0.unicodeScalars.count } == [4, 4, 3])
    let columns = try found("a.csv", "id,text,id,text\n1,一,2,二\n")
    #expect(shown(columns)[0].contains("columns with the same name"))
    #expect(shown(columns)[1] == "二")
    #expect(carried(columns[1]) == [#"id="2""#])
  }

  @Test("Many fields with one name do not take the square of their number in time")
  func manyFields() throws {
    let fields = (0..<100_000).map { "\"f\($0 % 50_000)\":\($0)" }.joined(separator: ",")
    let items = try found("a.jsonl", "{\(fields),\"text\":\"一\"}")
    #expect(carried(items[0]).count == 50_000)
    #expect(carried(items[0]).first == "f0=50000")
  }

  @Test("Bug: an object without the text gave a message as long as itself")
  func bounded() throws {
    let fields = (0..<1_000).map { "\"\(String(repeating: "长", count: 100))\($0)\":1" }
    let item = try found("a.jsonl", "{\(fields.joined(separator: ","))}\n")[0]
    let reason = try #require(reject(item)?.reason)
    #expect(reason.count < 500 && reason.contains("and 992 more"))
    let header = try found("a.csv", (0..<9_999).map { "c\($0)" }.joined(separator: ",") + "\n")
    #expect(shown(header)[0].count < 500)
  }

  @Test("Rejects carry the fields of a line that could be read")
  func carriedByRejects() throws {
    let items = try found(
      "a.jsonl", "{\"id\":7,\"text\":\"\"}\n{\"id\":8,\"text\":1}\n{\"id\":9}\n{\"id\":\n")
    #expect(items.map(carried) == [["id=7"], ["id=8"], ["id=9"], []])
    #expect(carried(try found("a.csv", "id,text\n3,\n")[0]) == [#"id="3""#])
  }

  @Test("A byte-order mark is no part of the first record")
  func mark() throws {
    #expect(shown(try found("a.txt", "\u{FEFF}一\n\u{FEFF}二\n")) == ["一", "\u{FEFF}二"])
    #expect(shown(try found("a.jsonl", "\u{FEFF}{\"text\":\"\u{FEFF}一\"}\n")) == ["\u{FEFF}一"])
    #expect(shown(try found("a.csv", "\u{FEFF}\"text\",id\n一,1\n")) == ["一"])
  }

  @Test("Bug: the limit did not hold for a record of several lines")
  func limit() throws {
    let items = try found("a.csv", "id,text\n1,\"一\n二\n三\"\n2,四\n", limit: 12)
    #expect(shown(items).last == "四")
    #expect(items.dropLast().allSatisfy { reject($0) != nil })
    #expect(items.count == 4)
  }

  @Test("A header that cannot be read costs its file")
  func header() throws {
    #expect(
      shown(try found("a.tsv", "id\tbody\n1\t一\n"))[0].contains(
        "has no column \"text\" in its header (id, body)"))
    #expect(
      shown(try found("b.csv", "\"text,id\n一,1\n"))[0].contains("has a header that cannot be read"))
    #expect(try found("b.csv", "").isEmpty)
  }

  @Test("Text whose first line is a JSON object is read with a note, unless it was said to be text")
  func note() throws {
    let line = "{\"text\": \"一\"}\n"
    #expect(shown(try found("a.log", line)).map { $0.prefix(2) } == ["- ", "{\""])
    #expect(shown(try found("a.log", line, format: .text)).count == 1)
    #expect(shown(try found("a.txt", line)).count == 1)
    #expect(shown(try found("b.log", "{一}\n")).count == 1)
  }

  @Test("Records begin where they say", arguments: ["\n", "\r\n"])
  func places(end: String) throws {
    let text = ["id,text", "1,\"一", "二\"", "", "2,三"].joined(separator: end) + end
    for item in try found("a.csv", text) {
      guard case .record(let record) = item else { continue }
      let bytes = Array(text.utf8)[record.location.byte...]
      #expect(bytes.starts(with: record.text == "三" ? "2,三".utf8 : "1,\"一".utf8))
      #expect(record.location.line == (record.text == "三" ? 5 : 2))
    }
  }
}
