import Foundation
import TestSupport
import Testing

@testable import DocumentIO

/// What a run over a small directory did, of which one call of the system failed.
private struct SmallRun {
  var lines: [String] = []
  var notices: [InputNotice] = []
  var error: (any Error)?

  /// Reads all below `input` and writes each text as a line, 300 lines to a flush.
  init(_ input: FileName, _ output: FileName, _ system: SystemCalls) async {
    do {
      var found = try discoverInputs([input], system: system)
      try checkPaths(&found, outputs: [OutputPath("--output", output)], system: system)
      notices = found.notices
      let file = try OutputFile(output, system: system)
      do {
        try await copy(found, to: file, system)
        try await file.finish()
      } catch {
        _ = file.keepPartial()
        throw error
      }
    } catch {
      self.error = error
    }
  }

  private mutating func copy(_ found: Inputs, to file: OutputFile, _ system: SystemCalls)
    async throws
  {
    for each in found.files {
      let reader = RecordReader(
        InputPart(each), options: .init(), system: system, cancellation: Cancellation())
      while let item = try reader.next() {
        switch item {
        case .notice(let notice): notices.append(notice)
        case .reject(let reject): lines.append("! \(reject.reason)")
        case .record(let record):
          lines.append(record.text)
          try await file.append { $0 += Array("\(record.text)\n".utf8) }
          if lines.count % 300 == 0 { try await file.flush() }
        }
      }
    }
  }
}

@Suite struct FailureTests {
  private let scratch: Scratch
  private let expected: [String]

  init() throws {
    scratch = try Scratch()
    expected = (0..<1_000).map { "第\($0)行" }
    let text = expected.map { "\($0)\n" }
    try scratch.file("in/a.txt", text[..<500].joined().utf8)
    let rest = Array(text[500...].joined().utf8)
    try scratch.file("in/b.txt.gz", try scratch.filtered("gzip", ["-c"], rest))
    try scratch.file("out.txt", "old\n".utf8)
  }

  @Test(
    "Nothing is lost silently, whichever call of the system fails",
    arguments: [EIO, ENOSPC, EACCES, EMFILE])
  func everyCall(code: Int32) async throws {
    for nth in 1... {
      try scratch.file("out.txt", "old\n".utf8)
      let system = FailingSystem(nth: nth, .error(code))
      let run = await SmallRun(scratch.name("in"), scratch.name("out.txt"), system.calls)
      try check(run, "call \(nth), \(system.failed)")
      guard system.hasFailed else { return #expect(nth > 20) }
    }
  }

  @Test(
    "Calls that signals interrupt, or that do a part, are made again",
    arguments: [FailingSystem.Failure.error(EINTR), .short])
  func everyInterruption(failure: FailingSystem.Failure) async throws {
    for nth in 1... {
      try scratch.file("out.txt", "old\n".utf8)
      let system = FailingSystem(nth: nth, failure)
      let run = await SmallRun(scratch.name("in"), scratch.name("out.txt"), system.calls)
      try check(run, "call \(nth), \(system.failed)")
      #expect(run.error == nil && run.notices.isEmpty, "\(system.failed), \(nth)")
      guard system.hasFailed else { return #expect(nth > 20) }
    }
  }

  @Test("A pipe that gives or takes nothing for a moment is asked again")
  func tryAgain() async throws {
    for nth in 1...60 {
      try scratch.file("out.txt", "old\n".utf8)
      let system = FailingSystem(nth: nth, .error(EAGAIN))
      let run = await SmallRun(scratch.name("in"), scratch.name("out.txt"), system.calls)
      try check(run, "call \(nth), \(system.failed)")
      guard ["read", "write"].contains(system.failed) else { continue }
      #expect(run.error == nil && run.notices.isEmpty, "\(system.failed), \(nth)")
    }
  }

  @Test("Bug: a short write was taken for a whole one")
  func shortWrites() async throws {
    let system = FailingSystem(nth: 0, .short)
    let run = await SmallRun(scratch.name("in"), scratch.name("out.txt"), system.calls)
    #expect(run.error == nil)
    #expect(try scratch.text("out.txt") == expected.map { "\($0)\n" }.joined())
  }

  /// Either all is there, or something was said; the old output is replaced by the whole new one
  /// only, and what is kept ends with a whole line.
  private func check(_ run: SmallRun, _ name: String) throws {
    let output = try scratch.text("out.txt")
    let isSilent = run.error == nil && run.notices.allSatisfy { !$0.isFailure }
    if isSilent { #expect(run.lines == expected, "\(name)") }
    if run.error == nil {
      #expect(output == run.lines.map { "\($0)\n" }.joined(), "\(name)")
    } else {
      #expect(output == "old\n", "\(name)")
    }
    guard FileManager.default.fileExists(atPath: scratch.path("out.txt.partial")) else { return }
    let kept = try scratch.text("out.txt.partial")
    #expect(run.error != nil, "\(name)")
    let whole = run.lines.map { "\($0)\n" }.joined()
    #expect(
      whole.hasPrefix(kept) && (kept.isEmpty || kept.last == "\n"), "\(name): \(kept.suffix(20))")
    try FileManager.default.removeItem(atPath: scratch.path("out.txt.partial"))
  }
}
