import DocumentIO
import Foundation
import TestSupport

@testable import BatchRuns

/// A run over a few made-up records, of which some are rejects; each takes 400 ms by the clock.
struct SmallBatch {
  let scratch: Scratch
  var output = "out.jsonl"
  var rejects: String? = "bad.jsonl"
  var records = 40

  static let identity = RunIdentity(
    program: "test 1", inputs: [], model: ["model": "a"], options: ["--threshold": "0"])

  enum End: Equatable { case finished, alreadyFinished, stopped }

  /// Runs until it is done, or until a call of the system fails.
  @discardableResult
  func run(
    _ start: BatchOutput.Start, _ system: SystemCalls = .real, identity: RunIdentity? = identity,
    until last: Int? = nil, endsWell: Bool = true
  ) async throws -> End {
    let clock = Clock()
    let batch = try BatchOutput(
      output: scratch.name(output), rejects: rejects.map(scratch.name), identity: identity,
      start: start, system: system, clock: { clock.now })
    if batch.finished != nil { return .alreadyFinished }
    if batch.resumed?.manifest != nil {
      try batch.publishResumed()
      return .finished
    }
    var counts = batch.resumed?.counts ?? RunCounts()
    var position = batch.resumed?.position
    do {
      for record in (position?.byte ?? -1) + 1..<records {
        if record == last { return end(batch, position, counts, endsWell) }
        try await write(record, batch)
        counts.documents += 1
        position = RunPosition(input: 0, line: record + 1, byte: record)
        clock.advance()
        try batch.recordDone(RunPosition(input: 0, line: record + 1, byte: record), counts)
      }
      try await batch.finish(position, counts) {
        try RunManifest(
          identity: identity ?? Self.identity, extents: [], checkpoint: $0,
          rejects: rejects.map(scratch.name), isDeterministic: true
        ).json(with: [:])
      }
      return .finished
    } catch {
      if endsWell { _ = batch.stop(position, counts) }
      throw error
    }
  }

  private func end(
    _ batch: BatchOutput, _ position: RunPosition?, _ counts: RunCounts, _ endsWell: Bool
  ) -> End {
    if endsWell { _ = batch.stop(position, counts) }
    return .stopped
  }

  private func write(_ record: Int, _ batch: BatchOutput) async throws {
    let isReject = record % 7 == 3
    let line = Array("\(record) \(String(repeating: "字\(record)", count: 9_000))\n".utf8)
    if isReject, let rejects = batch.rejects {
      try await rejects.append { $0 += line }
    } else {
      try await batch.output.append { $0 += line }
    }
    // Whoever reads along sees what is there.
    if record % 3 == 0 { try await batch.output.flush() }
  }

  /// The files that a run leaves.
  func files() throws -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for name in try scratch.names() where !name.hasSuffix(".manifest.json") {
      files[name] = try scratch.bytes(name)
    }
    return files
  }

  private final class Clock: @unchecked Sendable {
    private let lock = NSLock()
    private var instant = ContinuousClock.now
    var now: ContinuousClock.Instant { lock.withLock { instant } }
    func advance() { lock.withLock { instant += .milliseconds(400) } }
  }
}
