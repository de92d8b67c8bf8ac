import Foundation
import TestSupport
import Testing

@testable import DocumentIO

/// The seeds that each property is tried with; SPO_READING_SEEDS says how many.
private let seeds = 0..<(Int(ProcessInfo.processInfo.environment["SPO_READING_SEEDS"] ?? "") ?? 40)

@Suite struct ExtentTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  @Test("Reading that goes on behind an item gives what came behind it, for every item")
  func resuming() throws {
    var (resumed, afterBlank) = (0, 0)
    for seed in seeds {
      var random = SeededRandom(UInt64(seed))
      let file = try random.hostileFile(scratch, lines: 14)
      let system = random.below(4) == 0 ? FailingSystem(nth: 0, .short).calls : .real
      let whole = try file.items()
      for (number, item) in whole.enumerated() {
        guard let place = item.place else { continue }
        let found = try file.items(.init(after: place), system: system)
        try #require(
          found == Array(whole[(number + 1)...]), "seed \(seed), behind \(place) of \(file)")
        resumed += 1
        if case .reject(let reject) = item, reject.reason == "the line is empty" { afterBlank += 1 }
      }
    }
    #expect(resumed > 4 * seeds.count && afterBlank > seeds.count / 2)
  }

  @Test("Extents that tile a file give each item once: every pair of bounds gives its items")
  func tiles() throws {
    var (readings, notes) = (0, 0)
    for seed in seeds {
      var random = SeededRandom(UInt64(1_000 + seed))
      let file = try random.hostileFile(scratch, lines: 3)
      let whole = try file.items()
      for start in 0...file.bytes.count + 1 {
        for end in Array(start...file.bytes.count + 1).map(Optional.init) + [nil] {
          let found = try file.items(.init(start: start, end: end))
          let wanted = whole.filter { item in
            guard let byte = item.place?.byte else { return start == 0 }
            return start <= byte && byte < end ?? .max
          }
          try #require(found == wanted, "seed \(seed), \(start)..<\(end ?? -1) of \(file)")
          readings += 1
        }
      }
      notes += whole.count { $0.notice != nil }
    }
    #expect(readings > 50 * seeds.count && notes > 0)
  }

  @Test("Larger files, in up to five extents, each gone on with behind one of its items")
  func tilesAndResuming() throws {
    for seed in seeds {
      var random = SeededRandom(UInt64(2_000 + seed))
      let file = try random.hostileFile(scratch, lines: 100)
      let whole = try file.items().filter { $0.place != nil }
      for _ in 0..<3 {
        let cuts = (0..<1 + random.below(4)).map { _ in random.below(file.bytes.count + 1) }
          .sorted()
        var all: [InputItem] = []
        for (start, end) in zip([0] + cuts, cuts.map(Optional.init) + [nil]) {
          let part = try file.items(.init(start: start, end: end)).filter { $0.place != nil }
          all += part
          guard !part.isEmpty else { continue }
          let number = random.below(part.count)
          let found = try file.items(.init(start: start, end: end, after: part[number].place))
          try #require(
            found == Array(part[(number + 1)...]), "seed \(seed), \(number) of \(start) in \(file)")
        }
        try #require(all == whole, "seed \(seed), \(cuts) in \(file)")
      }
    }
  }

  @Test("Bug: behind a line that an open quote gave back, the next began a record of its own")
  func givenBack() throws {
    let text = "id,text\na,\"b\n\"c\nd\",e\n1,f\n"
    let file = HostileFile(name: FileName(try scratch.file("a.csv", text.utf8)), bytes: [])
    let whole = try file.items()
    #expect(shown(whole).count == 4 && shown(whole)[1].contains("does not close"))
    #expect(try file.items(.init(after: whole[0].place)) == Array(whole[1...]))
  }

  @Test(
    "Bug: of more empty lines than are held back, some at the end were rejects and some nothing")
  func manyBlanks() throws {
    let bytes = Array("text\na\n\n\n\n\n\n\n\n".utf8)
    var file = HostileFile(name: FileName(try scratch.file("a.tsv", bytes)), bytes: bytes)
    file.options.mostHeldLines = 3
    #expect(try file.items().count == 8)
    file.options.mostHeldLines = 7
    #expect(try file.items().count == 1)
  }

  @Test("Reading stops soon behind its end, and begins without what comes before it")
  func bounds() throws {
    let lines = (0..<50_000).map { "第\($0)行\n" }.joined()
    let size = lines.utf8.count
    let name = FileName(try scratch.file("a.txt", lines.utf8))
    let first = RecordReader(InputFile(name), extent: .init(end: 1))
    #expect(try first.next() != nil && first.next() == nil)
    #expect(first.consumedFileBytes < size / 10)
    let last = try #require(try items(name).last?.place)
    let counted = CountedReads()
    #expect(try items(name, extent: .init(after: last), system: counted.calls).isEmpty)
    #expect(counted.bytes < size / 5)
  }
}

extension ExtentTests {
  private func changed(_ items: [InputItem]) -> Bool {
    items.count == 1 && items[0].notice?.isFailure == true
      && items[0].notice?.description.contains("cannot be gone on with behind its line") == true
  }

  @Test(
    "A file that is not what it was is not gone on with",
    arguments: ["a.txt", "a.jsonl", "a.csv", "a.tsv", "a.txt.gz"])
  func changedFile(name: String) throws {
    let line = name.contains("jsonl") ? "{\"text\":\"a\"}\n" : "text\n"
    func write(_ text: String) throws -> HostileFile {
      let bytes = Array(text.utf8)
      let packed = name.hasSuffix("gz") ? try scratch.filtered("gzip", ["-c"], bytes) : bytes
      return HostileFile(name: FileName(try scratch.file(name, packed)), bytes: bytes)
    }
    let last = try #require(try write(String(repeating: line, count: 9)).items().last?.place)
    // One byte more before it; cut off before it; nothing left; another encoding.
    let begin = String(repeating: line, count: 3)
    for text in ["\(begin)x\(begin)\(begin)", begin, "", "\u{FEFF}" + begin + begin + begin] {
      let file = try write(text)
      #expect(changed(try file.items(.init(after: last))), "\(text)")
    }
    try scratch.file(name, [0xFF, 0xFE, 0x00, 0x4E])
    #expect(changed(try items(scratch.name(name), extent: .init(after: last))))
  }

  @Test("What cannot be read at all says the part that has its first byte, and no other")
  func unreadable() throws {
    let files: [(String, [UInt8])] = [
      ("a.txt", [0xFF, 0xFE, 0, 0x4E, 0, 0x4E]), ("b.csv", Array("id,body\n1,2\n".utf8)),
      ("c.txt.gz", []), ("d.jsonl", Array("[1,\n2]\n".utf8)),
    ]
    for (name, bytes) in files {
      let file = FileName(try scratch.file(name, bytes))
      let whole = try items(file)
      #expect(whole.count == 1 && whole[0].notice?.isFailure == true)
      #expect(try items(file, extent: .init(end: 3)) == whole)
      #expect(try items(file, extent: .init(start: 3)).isEmpty)
    }
  }

  @Test("A pipe is not read in part")
  func pipe() throws {
    mkfifo(scratch.path("pipe"), 0o600)
    let found = shown(try items(scratch.name("pipe"), extent: .init(start: 1)))
    #expect(found.count == 1)
    #expect(found[0].hasSuffix("cannot be resumed or cut; save it in a file and name that"))
  }
}
