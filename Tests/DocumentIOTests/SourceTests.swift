import Foundation
import TestSupport
import Testing

@testable import DocumentIO

@Suite(.timeLimit(.minutes(1))) struct SourceTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func source(_ names: String...) throws -> RecordSource {
    RecordSource(try discoverInputs(names.map { scratch.name($0) }))
  }

  private func all(_ source: RecordSource) async throws -> [InputItem] {
    var found: [InputItem] = []
    for try await item in source { found.append(item) }
    return found
  }

  @Test("Files come one after the other, the bad ones named, the others whole")
  func order() async throws {
    let many = (0..<20_000).map { "第\($0)行" }
    try scratch.file("a.txt", (many.joined(separator: "\n") + "\n").utf8)
    try scratch.file("b.csv", "id,body\n1,一\n".utf8)
    try scratch.file("c.txt", "末\n".utf8)
    let source = try source("a.txt", "b.csv", "c.txt")
    let found = shown(try await all(source))
    #expect(found.count == 20_002)
    #expect(Array(found[..<20_000]) == many)
    #expect(found[20_000].contains("b.csv has no column"))
    #expect(found[20_001] == "末")
    #expect(source.readBytes == source.totalBytes)
  }

  @Test("Bug: a whole line waited for the rest of the next")
  func halfLine() async throws {
    mkfifo(scratch.path("pipe"), 0o600)
    let source = try source("pipe")
    let writer = try #require(FileHandle(forUpdatingAtPath: scratch.path("pipe")))
    for line in ["一", "二", "三"] {
      // Half a line follows each whole one.
      writer.write(Data("\(line)\n半".utf8))
      let item = try #require(try await source.next())
      #expect(shown([item]) == [line == "一" ? "一" : "半\(line)"])
    }
    try writer.close()
    #expect(shown(try await all(source)) == ["半"])
  }

  @Test(
    "A whole row is given while the next is open, in every format",
    arguments: ["csv", "tsv", "jsonl"])
  func halfRow(format: String) async throws {
    mkfifo(scratch.path("pipe"), 0o600)
    var options = RecordReader.Options()
    options.format = InputFormat(rawValue: format)
    let source = RecordSource(try discoverInputs([scratch.name("pipe")]), options: options)
    let writer = try #require(FileHandle(forUpdatingAtPath: scratch.path("pipe")))
    let half = ["csv": "text\n一\n\"二", "tsv": "text\n一\n二", "jsonl": "{\"text\":\"一\"}\n{\"te"]
    writer.write(Data((half[format] ?? "").utf8))
    #expect(shown([try #require(try await source.next())]) == ["一"])
  }

  @Test(
    "Waiting for a silent pipe, or for its writer, ends with the task", arguments: [false, true])
  func cancelled(isOpened: Bool) async throws {
    mkfifo(scratch.path("pipe"), 0o600)
    let source = try source("pipe")
    let writer = isOpened ? FileHandle(forUpdatingAtPath: scratch.path("pipe")) : nil
    defer { try? writer?.close() }
    let task = Task { try await source.next() }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test("What was read is not lost when one who asks is cancelled")
  func keptAfterCancellation() async throws {
    mkfifo(scratch.path("pipe"), 0o600)
    let source = try source("pipe")
    let task = Task { try await source.next() }
    task.cancel()
    _ = await task.result
    let writer = try #require(FileHandle(forUpdatingAtPath: scratch.path("pipe")))
    writer.write(Data("一\n".utf8))
    #expect(shown([try #require(try await source.next())]) == ["一"])
    try writer.close()
  }

  @Test("Waiting blocks no thread of the pool: as many sources wait as there are threads, and more")
  func threads() async throws {
    mkfifo(scratch.path("pipe"), 0o600)
    let writer = try #require(FileHandle(forUpdatingAtPath: scratch.path("pipe")))
    defer { try? writer.close() }
    try scratch.file("a.txt", "一\n".utf8)
    let waiting = try (0..<2 * ProcessInfo.processInfo.activeProcessorCount + 2).map { _ in
      let source = try source("pipe")
      return Task { try await source.next() }
    }
    #expect(shown(try await all(source("a.txt"))) == ["一"])
    for task in waiting {
      task.cancel()
      _ = await task.result
    }
  }

  @Test("Reading runs ahead by a bounded number of items")
  func bounded() {
    let queue = RecordQueue()
    let added = DispatchSemaphore(value: 0)
    let items = [InputItem](repeating: .notice(InputNotice("", isFailure: false)), count: 64)
    let thread = Thread {
      for _ in 0..<RecordSource.mostAhead.items / 64 + 1 {
        queue.add(items, readBytes: 0)
        added.signal()
      }
    }
    thread.start()
    for _ in 0..<RecordSource.mostAhead.items / 64 { added.wait() }
    // The next waits for room: only a queue without a bound takes it.
    #expect(added.wait(timeout: .now() + 0.2) == .timedOut)
    for _ in 0..<RecordSource.mostAhead.items / 2 { _ = queue.pop() }
    added.wait()
    #expect(queue.popAll()?.count == RecordSource.mostAhead.items / 2 + 64)
  }

  @Test("The thread ends when the source is let go, also while it waits", arguments: [false, true])
  func letGo(isOpened: Bool) async throws {
    mkfifo(scratch.path("pipe"), 0o600)
    let writer = isOpened ? FileHandle(forUpdatingAtPath: scratch.path("pipe")) : nil
    defer { try? writer?.close() }
    weak var queue: RecordQueue?
    do {
      let source = try source("pipe")
      queue = source.queue
    }
    // The time limit of the suite is what fails.
    while queue != nil { await Task.yield() }
  }

  @Test("Texts are records of their own")
  func texts() async throws {
    let source = RecordSource(texts: ["一", "", "二"], name: "--text")
    #expect(shown(try await all(source)) == ["一", "! the text is empty", "二"])
  }
}
