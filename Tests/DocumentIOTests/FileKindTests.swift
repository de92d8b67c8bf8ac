import Foundation
import TestSupport
import Testing

@testable import DocumentIO

@Suite struct FileKindTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func shownItems(_ name: String, _ bytes: some Sequence<UInt8>) throws -> [String] {
    let path = try scratch.file(name, bytes)
    return shown(try items(FileName(path))).map { $0.replacing(path, with: name) }
  }

  private static let sentence = "上海出版社出版的图书\n离开是由张宇谱曲 abc\n"

  private static func encoded(_ encoding: String.Encoding, mark: [UInt8] = []) -> [UInt8] {
    mark + Array(sentence.data(using: encoding) ?? Data())
  }

  @Test(
    "Bug: other encodings were read line by line as UTF-8",
    arguments: [
      ("le.txt", encoded(.utf16LittleEndian, mark: [0xFF, 0xFE]), "UTF-16 text", "UTF-16 -t"),
      ("be.txt", encoded(.utf16BigEndian, mark: [0xFE, 0xFF]), "UTF-16 text", "UTF-16 -t"),
      ("le.csv", encoded(.utf16LittleEndian), "UTF-16 (little-endian)", "UTF-16LE -t"),
      ("be.tsv", encoded(.utf16BigEndian), "UTF-16 (big-endian)", "UTF-16BE -t"),
      (
        "32.txt", encoded(.utf32LittleEndian, mark: [0xFF, 0xFE, 0, 0]), "UTF-32 text", "UTF-32 -t"
      ),
      ("32b.jsonl", encoded(.utf32BigEndian), "UTF-32 (big-endian)", "UTF-32BE -t"),
      ("32l.jsonl", encoded(.utf32LittleEndian), "UTF-32 (little-endian)", "UTF-32LE -t"),
    ])
  func wide(name: String, bytes: [UInt8], kind: String, command: String) throws {
    let found = try shownItems(name, bytes)
    #expect(found.count == 1)
    #expect(found[0].hasPrefix("* \(name) is \(kind)"), "\(found)")
    let ending = name.split(separator: ".")[1]
    #expect(found[0].contains("iconv -f \(command) UTF-8"))
    #expect(found[0].hasSuffix("> converted.\(ending)"), "\(found)")
  }

  @Test("GBK is named, and the command that converts it gives what is read")
  func gbk() throws {
    let gbk = try scratch.filtered(
      "iconv", ["-f", "UTF-8", "-t", "GBK"], Array(Self.sentence.utf8))
    let found = try shownItems("gbk.txt", gbk)
    #expect(found.count == 1 && found[0].contains("is GBK (GB 18030) text"), "\(found)")
    #expect(found[0].contains("iconv -f GB18030 -t UTF-8 gbk.txt > converted.txt"))
    let long = Array(repeating: gbk, count: 5_000).joined()
    #expect(try shownItems("long.txt", long).count == 1)
  }

  @Test(
    "Text in UTF-8 with bad or odd bytes in it is not taken for another encoding",
    arguments: [
      Array("一\0二\n好\n".utf8), Array("ab\0cd\0\nef\n".utf8),
      [0xE4, 0xB8, 0xAD, 0xE6, 0x96, 0xB8, 0xAD, 0x0A] + Array("中文的句子\n".utf8),
      Array("中文\n".utf8) + [0xD6, 0xD0, 0xCE, 0xC4, 0x0A] + Array("又是中文\n".utf8),
      [0x63, 0x61, 0x66, 0xE9, 0x0A], [0xFF, 0x41, 0x0A],
    ])
  func utf8(bytes: [UInt8]) throws {
    #expect(try !shownItems("a.txt", bytes).contains { $0.hasPrefix("*") })
  }

  @Test(
    "Bug: other compressions and documents were read as text",
    arguments: [
      ("a.txt.xz", [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0] as [UInt8], "xz-compressed", "xz -dc"),
      ("a.csv.bz2", Array("BZh91AY&SY".utf8), "bzip2-compressed", "bzip2 -dc"),
      ("a.zip", Array("PK".utf8) + [3, 4, 20, 0], "a zip archive", "unzip -p"),
      ("a.xlsx", Array("PK".utf8) + [3, 4, 20, 0], "a spreadsheet", "soffice"),
      ("a.docx", Array("PK".utf8) + [3, 4, 20, 0], "a text document", "soffice"),
      ("a.7z", [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C, 0], "a 7z archive", "7z e -so"),
      ("a.pdf", Array("%PDF-1.7\n%abc".utf8), "a PDF document", "pdftotext"),
      ("a.parquet", Array("PAR1".utf8) + [0x15, 4], "a Parquet file", "duckdb"),
    ])
  func binary(name: String, bytes: [UInt8], kind: String, command: String) throws {
    let found = try shownItems(name, bytes)
    #expect(found.count == 1 && found[0].hasPrefix("* \(name) is \(kind)"), "\(found)")
    #expect(found[0].contains(command))
  }

  @Test("Words that begin as such files do are text")
  func words() throws {
    #expect(
      try shownItems("a.txt", "BZhang\nPK\nPAR1\nRar!\n".utf8) == ["BZhang", "PK", "PAR1", "Rar!"])
  }

  @Test("An archive within gzip is named, too")
  func tar() throws {
    let tar = Array(repeating: UInt8(ascii: "a"), count: 257) + Array("ustar".utf8)
    let packed = try scratch.filtered("gzip", ["-c"], tar)
    let found = try shownItems("a.tar.gz", packed)
    #expect(found.count == 1 && found[0].contains("is a tar archive"), "\(found)")
    let utf16 = try scratch.filtered("gzip", ["-c"], Self.encoded(.utf16LittleEndian))
    #expect(
      try shownItems("b.txt.gz", utf16)[0].contains(
        "gzip -dc b.txt.gz | iconv -f UTF-16LE -t UTF-8 > converted.txt"))
  }

  @Test(
    "Bug: a JSON array gave a reject for each of its lines",
    arguments: [
      ("[\n  {\"text\": \"一\"},\n  {\"text\": \"二\"}\n]\n", "one JSON array", "jq -c '.[]'"),
      ("[{\"text\": \"一\"}, {\"text\": \"二\"}]", "one JSON array", "jq -c '.[]'"),
      ("\u{FEFF}[{\"text\": \"一\"},\n{\"text\"", "one JSON array", "jq -c '.[]'"),
      ("{\n  \"text\": \"一\",\n  \"id\": 1\n}\n", "JSON over several lines", "jq -c ."),
      ("{\"text\": \"一\"\n, \"id\": 1}\n{\"text\": \"二\"}", "JSON over several lines", "jq -c ."),
    ])
  func wholeJSON(text: String, kind: String, command: String) throws {
    let found = try shownItems("a.json", text.utf8)
    #expect(found.count == 1 && found[0].hasPrefix("* a.json is \(kind)"), "\(found)")
    #expect(found[0].hasSuffix("\(command) a.json > converted.jsonl"))
  }

  @Test("Lines of JSON with a bad one among them are read line by line")
  func lines() throws {
    #expect(try shownItems("a.jsonl", "[1]\n{\"text\": \"一\"}\n".utf8)[1] == "一")
    #expect(try shownItems("b.jsonl", "{\"text\": \"一\"\n{\"text\": \"二\"}\n".utf8)[1] == "二")
    #expect(try shownItems("c.jsonl", "{\n[1]\n{\"text\": \"三\"}\n".utf8)[2] == "三")
  }

  @Test("Bug: carriage returns alone were no line ends")
  func returns() throws {
    #expect(try shownItems("a.txt", "一\r二\r".utf8) == ["一", "二"])
    #expect(try shownItems("a.csv", "id,text\r1,一\r2,\"二\r三\"\r".utf8) == ["一", "二\r三"])
    #expect(try shownItems("a.jsonl", "{\"text\":\"一\"}\r{\"text\":\"二\"}".utf8) == ["一", "二"])
    #expect(try shownItems("b.txt", "一\r二\n三\n".utf8) == ["一\r二", "三"])
  }

  @Test(
    "Bug: endings were known in lower case only",
    arguments: [
      ("A.CSV", InputFormat.csv), ("a.Jsonl.GZ", .jsonl), ("a.NDJSON.zst", .jsonl),
      ("a.jl", .jsonl),
      ("a.JSONLINES", .jsonl), ("d.csv/a.TXT", .text), ("a.tsv.gz", .tsv), ("a.json", .jsonl),
      ("csv", nil), ("a.gz", nil), ("a.log", nil), ("x.csv.bak", nil),
    ])
  func endings(name: String, format: InputFormat?) {
    #expect(InputFormat(name: FileName(name)) == format)
  }
}
