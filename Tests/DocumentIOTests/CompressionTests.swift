import Foundation
import TestSupport
import Testing

@testable import DocumentIO

@Suite struct CompressionTests {
  private let scratch: Scratch
  private static let plain = String(repeating: "周杰伦\n", count: 50_000) + "末"

  init() throws { scratch = try Scratch() }

  private func packed(_ program: String, _ text: String = plain) throws -> [UInt8] {
    try scratch.filtered(program, ["-c"], Array(text.utf8))
  }

  private func shownItems(_ name: String, _ bytes: some Sequence<UInt8>) throws -> [String] {
    let path = try scratch.file(name, bytes)
    return shown(try items(FileName(path))).map { $0.replacing(path, with: name) }
  }

  private static let programs = ["gzip", "zstd"]

  @Test(
    "Compressed files are known by their bytes, one member after the other", arguments: programs)
  func members(program: String) throws {
    let once = try packed(program)
    #expect(try shownItems("a.txt", once).count == 50_001)
    let twice = try shownItems("b.txt.gz", once + once)
    #expect(twice.count == 100_001)
    #expect(twice[50_000] == "末周杰伦")
  }

  @Test("Bug: of three members of a small file the last was not read", arguments: programs)
  func smallMembers(program: String) throws {
    let empty = try packed(program, "")
    var file: [UInt8] = []
    for count in 1...7 {
      file += try packed(program, "行\(count)\n") + (count % 3 == 0 ? empty + empty : [])
      #expect(try shownItems("a.gz", file) == (1...count).map { "行\($0)" })
    }
  }

  @Test("Bug: zeros after the last member were an error", arguments: programs)
  func padding(program: String) throws {
    let padded = try packed(program, "一\n二") + [UInt8](repeating: 0, count: 100_000)
    #expect(try shownItems("a.gz", padded) == ["一", "二"])
  }

  @Test("Other bytes after the last member are told, after all has been read", arguments: programs)
  func garbage(program: String) throws {
    let found = try shownItems("a.txt.gz", try packed(program, "一\n二") + Array("garbage".utf8))
    #expect(found.prefix(2) == ["一", "二"])
    #expect(found.count == 3)
    #expect(
      found[2].hasPrefix("* a.txt.gz was not read to its end: what follows its last \(program)"))
  }

  @Test("A file that was cut off gives all that it has, and is told", arguments: programs)
  func cutOff(program: String) throws {
    let whole = try packed(program, (0..<20_000).map { "第\($0 * 7919 % 20_011)行\n" }.joined())
    let found = try shownItems("a.txt.gz", whole.dropLast(40))
    #expect(found.count > 10_000)
    let last = try #require(found.last)
    #expect(last.contains("was not read to its end: it ends in the middle of its \(program) data"))
    // The line that the cut broke is given as far as it goes.
    let short = try packed("gzip", "一二三\n四五六")
    #expect(try shownItems("b.txt.gz", short.dropLast(8)).prefix(2) == ["一二三", "四五六"])
  }

  @Test("Bug: of a file with a wrong checksum the last 64 KiB were lost")
  func checksum() throws {
    var bytes = try packed("gzip")
    bytes[bytes.count - 6] ^= 0xFF
    let found = try shownItems("a.txt.gz", bytes)
    #expect(found.count == 50_002)
    #expect(found[50_000] == "末")
    #expect(found[50_001].contains("damaged: incorrect data check"))
  }

  @Test("A compressed file of no or one byte is told", arguments: [[], [0x1F], [0x28]])
  func empty(bytes: [UInt8]) throws {
    let found = try shownItems("a.txt.gz", bytes)
    #expect(
      found == [
        "* a.txt.gz is named as a compressed file and has \(bytes.count) bytes; it was cut off"
      ])
    #expect(try shownItems("a.txt", bytes).allSatisfy { !$0.hasPrefix("*") })
  }

  @Test("Where the input is cut into pieces changes nothing")
  func everyCut() throws {
    let text = Array("一二三\n四五六\n".utf8)
    for program in Self.programs {
      let bytes = try scratch.filtered(program, ["-c"], text)
      for first in 0...bytes.count {
        #expect(decompressed([Array(bytes[..<first]), Array(bytes[first...])]) == text)
      }
      #expect(decompressed(bytes.map { [$0] }) == text)
    }
  }

  private func decompressed(_ pieces: [[UInt8]]) -> [UInt8] {
    let all = Array(pieces.joined())
    guard let codec = all.withUnsafeBytes({ codec(of: $0) }) else { return [] }
    var decompressor = Decompressor(codec)
    var (input, out) = (InputBuffer(), [UInt8]())
    for (index, piece) in pieces.enumerated() {
      input.append(piece)
      while true {
        var room = [UInt8](repeating: 0, count: 5)
        let step = room.withUnsafeMutableBytes { room in
          input.bytes.withUnsafeBytes { all in
            decompressor.step(
              UnsafeRawBufferPointer(rebasing: all[input.range]), room,
              isLast: index == pieces.count - 1)
          }
        }
        input.take(step.taken)
        out += room.prefix(step.given)
        if step.given == 0, step.taken == 0 || input.count == 0 { break }
      }
    }
    return out
  }
}
