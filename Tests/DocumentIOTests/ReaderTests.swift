import Foundation
import Testing

@testable import DocumentIO

/// A temporary directory for one test.
struct Scratch {
  let directory: URL

  init() throws {
    directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  }

  func file(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
    let url = directory.appendingPathComponent(name)
    try Data(bytes).write(to: url)
    return url.path
  }
}

@Suite struct ReaderTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func items(
    _ name: String, _ bytes: some Sequence<UInt8>,
    _ edit: (inout RecordReader.Options) -> Void = { _ in }
  ) throws -> [InputItem] {
    var options = RecordReader.Options()
    edit(&options)
    let reader = try RecordReader(
      path: try scratch.file(name, bytes), format: nil, options: options)
    var found: [InputItem] = []
    while let item = try reader.next() { found.append(item) }
    return found
  }

  private func texts(_ items: [InputItem]) -> [String] {
    items.map {
      switch $0 {
      case .record(let record): record.text
      case .reject(let reject): "! \(reject.reason)"
      }
    }
  }

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

  @Test func `A header without the text column is an error with the names it has`() throws {
    #expect { try items("b.tsv", "id\tbody\n1\t一\n".utf8) } throws: {
      "\($0)".contains("body") && "\($0)".contains("--text-field")
    }
  }

  @Test func `Gzip is read by its bytes, and damage is told`() throws {
    let plain = String(repeating: "周杰伦\n", count: 5_000)
    let path = try scratch.file("a.txt", plain.utf8)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/gzip")
    process.arguments = [path]
    try process.run()
    process.waitUntilExit()
    let packed = try Data(contentsOf: URL(fileURLWithPath: path + ".gz"))
    #expect(try items("b.txt.gz", packed).count == 5_000)
    #expect(try items("two.txt.gz", packed + packed).count == 10_000)
    #expect { try items("c.txt.gz", packed.dropLast(20)) } throws: {
      "\($0)".contains("ends in the middle")
    }
    var flipped = packed
    flipped[packed.count / 2] ^= 0xFF
    #expect(throws: InputOutputError.self) { try items("d.txt.gz", flipped) }
  }

  @Test func `Directories give their readable files in order, or an error`() throws {
    let empty = try Scratch()
    #expect(throws: InputOutputError.self) { try discoverInputs([empty.directory.path]) }
    _ = try empty.file("b.txt", "x".utf8)
    _ = try empty.file("a.jsonl.gz", "x".utf8)
    _ = try empty.file("c.png", "x".utf8)
    let found = try discoverInputs([empty.directory.path])
    #expect(found.map { $0.path.split(separator: "/").last } == ["a.jsonl.gz", "b.txt"])
    #expect(try discoverInputs(["\(empty.directory.path)/*.txt"]).count == 1)
    #expect(throws: InputOutputError.self) { try discoverInputs(["/nowhere/*.txt"]) }
  }
}
