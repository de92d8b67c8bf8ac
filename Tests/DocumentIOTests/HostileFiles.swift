import Foundation
import TestSupport

@testable import DocumentIO

/// A small file made of what readers trip over, and how it is read.
struct HostileFile: CustomStringConvertible {
  var name: FileName
  /// Its bytes, decompressed.
  var bytes: [UInt8]
  var options = RecordReader.Options()

  var description: String { "\(name.lastComponent.text): \(bytesAsText)" }
  private var bytesAsText: String { String(decoding: bytes, as: UTF8.self).debugDescription }

  func items(
    _ extent: RecordReader.Extent = .whole, system: SystemCalls = .real
  ) throws -> [InputItem] {
    try DocumentIOTests.items(name, options, extent: extent, system: system)
  }
}

extension SeededRandom {
  private mutating func pick<Value>(_ values: [Value]) -> Value { values[below(values.count)] }

  /// Makes a file of about so many lines in a directory.
  mutating func hostileFile(
    _ scratch: Scratch, lines: Int, ending: String? = nil
  ) throws -> HostileFile {
    let ending = ending ?? pick(["txt", "log", "jsonl", "csv", "csv", "tsv"])
    let bytes = hostileBytes(ending, lines: lines)
    let compression = pick(["", "", "", "", "gz", "zst"])
    let name = "\(next()).\(ending)" + (compression.isEmpty ? "" : ".\(compression)")
    try scratch.file(name, try packed(bytes, compression, scratch))
    var file = HostileFile(name: scratch.name(name), bytes: bytes)
    file.options.longestRecord = pick([8, 24, 1_000])
    file.options.mostHeldLines = pick([0, 1, 2, 3, 1_000])
    return file
  }

  /// Bytes of a file; its lines end with what the seed says.
  private mutating func hostileBytes(_ ending: String, lines: Int) -> [UInt8] {
    let lineEnd = Array(pick(["\n", "\n", "\r\n", "\r"]).utf8)
    var parts: [[UInt8]] = []
    if ending == "csv" || ending == "tsv" {
      let header = pick(["text", "id,text", "text,id", "id,text,id", "text,text", "\"text\",b"])
      let separated = ending == "csv" ? header : header.replacing(",", with: "\t")
      parts.append(Array(separated.replacing("\"", with: ending == "csv" ? "\"" : "").utf8))
    }
    for _ in 0..<below(lines + 1) { parts.append(Array(hostileLine(ending))) }
    for _ in 0..<pick([0, 0, 1, 4]) { parts.append([]) }
    var bytes = Array(parts.joined(separator: lineEnd))
    if flip() { bytes += lineEnd }
    if below(4) == 0 { bytes = [0xEF, 0xBB, 0xBF] + bytes }
    return bytes
  }

  private mutating func hostileLine(_ ending: String) -> [UInt8] {
    let common: [[UInt8]] = [
      [], [], [], Array(" ".utf8), Array("一".utf8), [0x61, 0xFF], Array("abcdefghijkl".utf8),
      [0], Array(" \t".utf8), [0x0D],
    ]
    let own: [String] =
      switch ending {
      case "jsonl":
        [
          #"{"text":"a"}"#, #"{"text":"b","id":1}"#, #"{"text":""}"#, "{",
          #"{"text":"abcdefghijk"}"#,
        ]
      case "csv":
        [
          "1,a", "2,\"b\"", "\"", "3,\"c", "d\"", "\"e\"\"f\",4", "\"g\"h", "\"i\n\nj\",5", "\"\"",
          "6,\"k\nl", "m", "a,\"b\n\"c\nd\",e",
        ]
      case "tsv": ["1\ta", "2\t\"b", "c\t", "\t", "d"]
      case "log": [#"{"text":"a"}"#, "二", "ab"]
      default: ["二三", "ab", "c "]
      }
    return flip() || flip() ? Array(pick(own).utf8) : pick(common)
  }

  /// Bytes as a file of several members.
  private mutating func packed(
    _ bytes: [UInt8], _ compression: String, _ scratch: Scratch
  ) throws -> [UInt8] {
    guard !compression.isEmpty else { return bytes }
    let program = compression == "gz" ? "gzip" : "zstd"
    let middle = below(bytes.count + 1)
    return try scratch.filtered(program, ["-c"], Array(bytes[..<middle]))
      + scratch.filtered(program, ["-c"], Array(bytes[middle...]))
  }
}

extension InputItem {
  /// Where it begins; nil of a notice.
  var place: RecordReader.Position? {
    switch self {
    case .record(let record): .init(line: record.location.line, byte: record.location.byte)
    case .reject(let reject): .init(line: reject.location.line, byte: reject.location.byte)
    case .notice: nil
    }
  }

  var notice: InputNotice? { if case .notice(let notice) = self { notice } else { nil } }
}
