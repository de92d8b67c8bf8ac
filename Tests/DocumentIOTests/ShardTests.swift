import Foundation
import TestSupport
import Testing

@testable import DocumentIO

@Suite(.timeLimit(.minutes(5))) struct ShardTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func all(_ source: RecordSource) async throws -> [InputItem] {
    var found: [InputItem] = []
    for try await item in source { found.append(item) }
    return found
  }

  private func inputs(_ names: [String]) throws -> Inputs {
    try discoverInputs(names.map { scratch.name($0) })
  }

  /// Items without the numbers of their parts.
  private func plain(_ items: [InputItem]) -> [InputItem] {
    items.map { item in
      switch item {
      case .record(var record):
        record.location.part = 0
        return .record(record)
      case .reject(var reject):
        reject.location.part = 0
        return .reject(reject)
      case .notice: return item
      }
    }
  }

  @Test("Shards one after the other give what one reading gives, notices included")
  func shards() async throws {
    for seed in 0..<10 {
      var random = SeededRandom(UInt64(seed))
      var names: [String] = []
      for number in 0..<1 + random.below(6) {
        let file = try random.hostileFile(scratch, lines: 12)
        names.append(file.name.lastComponent.text)
        if random.below(3) == 0 { names.append(try special(number, &random)) }
      }
      let found = try inputs(names)
      let whole = plain(try await all(RecordSource(found)))
      for count in 1...9 {
        let plan = try planShards(found, count: count)
        #expect(plan.count == count)
        var pieces: [InputItem] = []
        for parts in plan { pieces += plain(try await all(RecordSource(parts))) }
        try #require(pieces == whole, "seed \(seed), \(count) shards of \(names)")
      }
    }
  }

  /// An empty file, one of UTF-16, or one that is cut off.
  private func special(_ number: Int, _ random: inout SeededRandom) throws -> String {
    let name = "special-\(number)-\(random.next()).txt"
    let kind = random.below(3)
    let bytes: [UInt8] = kind == 0 ? [] : [0xFF, 0xFE] + Array(repeating: 0x4E, count: 40)
    try scratch.file(kind == 2 ? name + ".gz" : name, kind == 2 ? [0x1F] : bytes)
    return kind == 2 ? name + ".gz" : name
  }

  private func size(_ part: InputPart) -> Int { part.byteCount ?? 0 }

  @Test("Plain files are shared evenly; compressed ones stay whole, by their first bytes")
  func balance() throws {
    var random = SeededRandom(5)
    for _ in 0..<200 {
      var files: [InputFile] = []
      var largest = 0
      for number in 0..<random.below(8) {
        // The name does not tell.
        let isPacked = random.flip()
        let bytes = (isPacked ? [0x1F, 0x8B] : [0x61]) + random.bytes(random.below(300))
        let name = FileName(try scratch.file("\(number).txt", bytes))
        files.append(InputFile(name, byteCount: bytes.count))
        if isPacked { largest = max(largest, bytes.count) }
      }
      let total = files.reduce(0) { $0 + ($1.byteCount ?? 0) }
      let count = 1 + random.below(12)
      let plan = try planShards(Inputs(files: files), count: count)
      let cut = plan.flatMap { $0 }.filter { $0.extent != .whole }
      for part in cut { #expect(try scratch.bytes(part.file.name.lastComponent.text)[0] == 0x61) }
      #expect(plan.flatMap { $0 }.reduce(0) { $0 + size($1) } == total)
      for parts in plan {
        let bytes = parts.reduce(0) { $0 + size($1) }
        #expect(abs(bytes - total / count) <= largest + 1, "\(bytes) of \(total) / \(count)")
      }
    }
  }

  @Test("A file that cannot be looked at is in one shard, whose reader tells it")
  func unreadable() async throws {
    try scratch.file("a.txt", "一\n二\n".utf8)
    let found = try inputs(["a.txt"])
    let plan = try planShards(
      found, count: 4, system: FailingSystem(nth: 1, .error(EACCES)).calls)
    #expect(plan.count { !$0.isEmpty } == 1 && plan.flatMap { $0 } == [InputPart(found.files[0])])
  }

  @Test("Standard input and pipes are not cut; all of them is one shard")
  func pipes() throws {
    mkfifo(scratch.path("pipe"), 0o600)
    for file in [InputFile.standardInput, InputFile(scratch.name("pipe"))] {
      let error = #expect(throws: InputOutputError.self) {
        try planShards(Inputs(files: [file]), count: 2)
      }
      #expect(error?.description.contains("cannot be resumed or cut; save it in a file") == true)
      #expect(throws: InputOutputError.self) {
        try RecordSource([InputPart(file, extent: .init(start: 1))])
      }
      #expect(try planShards(Inputs(files: [file]), count: 1) == [[InputPart(file)]])
    }
  }

  @Test("A source goes on behind any of its records, without opening the parts before it")
  func resuming() async throws {
    try scratch.file("a.txt", "一\n二\n\n".utf8)
    try scratch.file("b.csv", "id,text\n1,三\n2\n".utf8)
    try scratch.file("c.txt.gz", try scratch.filtered("gzip", ["-c"], Array("四\n五".utf8)))
    let found = try inputs(["a.txt", "b.csv", "c.txt.gz"])
    let parts = found.files.map { InputPart($0) }
    let notices = [InputNotice("first", isFailure: false)]
    let whole = try await all(RecordSource(parts, notices: notices))
    #expect(whole.count == 8 && whole[0].notice == notices[0])
    for (number, item) in whole.enumerated() {
      let location: DocumentIO.SourceLocation
      switch item {
      case .record(let record): location = record.location
      case .reject(let reject): location = reject.location
      case .notice: continue
      }
      #expect(location.file == found.files[location.part].name.text)
      var rest = parts
      rest[location.part].extent.after = item.place
      for gone in parts[..<location.part] {
        rest[rest.firstIndex(of: gone) ?? 0].file.name = FileName("/nowhere")
      }
      let source = try RecordSource(rest, first: location.part)
      #expect(try await all(source) == Array(whole[(number + 1)...]))
      #expect(source.readBytes == source.totalBytes && source.totalBytes == found.byteCount)
    }
  }
}
