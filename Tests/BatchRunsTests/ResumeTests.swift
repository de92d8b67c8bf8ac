import DocumentIO
import Foundation
import TestSupport
import Testing

@testable import BatchRuns

@Suite struct ResumeTests {
  static let outputs = ["out.jsonl", "out.jsonl.gz", "out.jsonl.zst"]

  private func whole(_ output: String, rejects: String? = "bad.jsonl") async throws
    -> [String: [UInt8]]
  {
    let batch = SmallBatch(scratch: try Scratch(), output: output, rejects: rejects)
    #expect(try await batch.run(.new) == .finished)
    return try batch.files()
  }

  @Test("Wherever a run is stopped, it goes on to the same bytes", arguments: outputs)
  func stoppedAnywhere(output: String) async throws {
    let expected = try await whole(output)
    #expect(expected.count == 2)
    for last in 0..<40 {
      let batch = SmallBatch(scratch: try Scratch(), output: output)
      #expect(try await batch.run(.new, until: last) == .stopped)
      #expect(try await batch.run(.resumed, until: (last + 40) / 2) == .stopped)
      #expect(try await batch.run(.resumed) == .finished)
      #expect(try batch.files() == expected, "stopped before \(last)")
    }
  }

  @Test(
    "Whichever call of the system is a run's last, it goes on to the same bytes", arguments: outputs
  )
  func diesAtAnyCall(output: String) async throws {
    let expected = try await whole(output)
    for nth in 1... {
      let batch = SmallBatch(scratch: try Scratch(), output: output)
      let system = FailingSystem(nth: nth, .death)
      _ = try? await batch.run(.new, system.calls, endsWell: false)
      guard system.hasFailed else { return #expect(nth > 30) }
      _ = try await batch.run(.resumed)
      #expect(try batch.files() == expected, "call \(nth), \(system.failed)")
    }
  }

  @Test(
    "Whichever call of the system fails, it is said, and the run can be resumed",
    arguments: [EIO, ENOSPC], ["out.jsonl", "out.jsonl.gz"])
  func failsAtAnyCall(code: Int32, output: String) async throws {
    let expected = try await whole(output)
    for nth in 1... {
      let batch = SmallBatch(scratch: try Scratch(), output: output)
      let system = FailingSystem(nth: nth, .error(code))
      do {
        try await batch.run(.new, system.calls)
      } catch {
        #expect(error is InputOutputError, "\(error)")
        _ = try await batch.run(.resumed)
      }
      guard system.hasFailed else { return #expect(nth > 30) }
      #expect(try batch.files() == expected, "call \(nth), \(system.failed)")
    }
  }

  @Test("A resumed run dies as any other", arguments: outputs)
  func diesWhenResumed(output: String) async throws {
    let expected = try await whole(output)
    for nth in 1... {
      let batch = SmallBatch(scratch: try Scratch(), output: output)
      try await batch.run(.new, until: 25, endsWell: false)
      let system = FailingSystem(nth: nth, .death)
      _ = try? await batch.run(.resumed, system.calls, endsWell: false)
      guard system.hasFailed else { return #expect(nth > 20) }
      _ = try await batch.run(.resumed)
      #expect(try batch.files() == expected, "call \(nth), \(system.failed)")
    }
  }

  @Test("A run without rejects leaves its output and its manifest, and nothing else")
  func leavesNothing() async throws {
    let batch = SmallBatch(scratch: try Scratch(), rejects: nil)
    try await batch.run(.new)
    #expect(try batch.scratch.names() == ["out.jsonl", "out.jsonl.manifest.json"])
  }

  @Test("A run that wrote nothing is finished and resumed as any other")
  func empty() async throws {
    var batch = SmallBatch(scratch: try Scratch())
    batch.records = 0
    #expect(try await batch.run(.new) == .finished)
    #expect(try batch.scratch.bytes("out.jsonl").isEmpty)
    #expect(try await batch.run(.resumed) == .alreadyFinished)
  }
}

@Suite struct RefusalTests {
  private func refusal(_ body: () async throws -> Void) async -> String {
    do { try await body() } catch { return "\(error)" }
    return "nothing"
  }

  @Test("An unfinished run is not overwritten")
  func unfinished() async throws {
    let batch = SmallBatch(scratch: try Scratch())
    try await batch.run(.new, until: 20)
    let before = try batch.files()
    let said = await refusal { try await batch.run(.new) }
    #expect(said.contains("unfinished run (20 documents done)") && said.contains("--resume"))
    #expect(try batch.files() == before)
    let piped = await refusal { try await batch.run(.new, identity: nil) }
    #expect(piped.contains("unfinished run"))
    #expect(try batch.files() == before)
    #expect(try await batch.run(.restarted) == .finished)
  }

  @Test("A run of something else is not gone on with, and what differs is named")
  func difference() async throws {
    let batch = SmallBatch(scratch: try Scratch())
    try await batch.run(.new, until: 20)
    var other = SmallBatch.identity
    other.options["--threshold"] = "-1"
    let said = await refusal { try await batch.run(.resumed, identity: other) }
    #expect(said.contains("--threshold was 0, now it is -1"), "\(said)")
    other = SmallBatch.identity
    other.model["model"] = "b"
    let model = await refusal { try await batch.run(.resumed, identity: other) }
    #expect(model.contains("of the model, model was a, now it is b"), "\(model)")
    #expect(try await batch.run(.resumed) == .finished)
    let finished = await refusal { try await batch.run(.resumed, identity: other) }
    #expect(finished.contains("finished output of something else"), "\(finished)")
  }

  @Test("A finished run is not run again by --resume, unless its output was changed")
  func finished() async throws {
    let batch = SmallBatch(scratch: try Scratch())
    try await batch.run(.new)
    #expect(try await batch.run(.resumed) == .alreadyFinished)
    try batch.scratch.file("out.jsonl", "less\n".utf8)
    let said = await refusal { try await batch.run(.resumed) }
    #expect(said.contains("is not as its manifest tells"), "\(said)")
  }

  @Test(
    "What was written before is checked when a run goes on", arguments: ["change", "cut", "take"])
  func tampered(how: String) async throws {
    let batch = SmallBatch(scratch: try Scratch())
    try await batch.run(.new, until: 20)
    var bytes = try batch.scratch.bytes("out.jsonl.partial")
    switch how {
    case "change": bytes[100] ^= 1
    case "cut": bytes.removeLast(10)
    default: try FileManager.default.removeItem(atPath: batch.scratch.path("out.jsonl.partial"))
    }
    if how != "take" { try batch.scratch.file("out.jsonl.partial", bytes) }
    let said = await refusal { try await batch.run(.resumed) }
    #expect(said.contains("the run must begin anew (--restart)"), "\(said)")
  }

  @Test("A journal that the disk had only begun to hold is one of a run that wrote nothing")
  func tornHead() async throws {
    let batch = SmallBatch(scratch: try Scratch())
    try await batch.run(.new, until: 0)
    let journal = try batch.scratch.bytes("out.jsonl.journal").prefix { $0 != 0x0A }
    for length in stride(from: 0, to: journal.count, by: 3) {
      let zeros = [UInt8](repeating: 0, count: journal.count - length)
      try batch.scratch.file("out.jsonl.journal", journal.prefix(length) + zeros)
      #expect(try await batch.run(.resumed, until: 1) == .stopped)
      try batch.scratch.file("out.jsonl.journal", journal.prefix(length))
      #expect(try await batch.run(.new, until: 1) == .stopped)
    }
  }

  @Test("Two runs do not write one output")
  func twice() async throws {
    let batch = SmallBatch(scratch: try Scratch())
    let first = try BatchOutput(
      output: batch.scratch.name("out.jsonl"), rejects: nil, identity: SmallBatch.identity,
      start: .new)
    let said = await refusal { try await batch.run(.resumed) }
    #expect(said.contains("another run has"), "\(said)")
    withExtendedLifetime(first) {}
  }
}
