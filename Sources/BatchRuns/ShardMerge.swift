internal import Digest
public import DocumentIO
internal import Foundation

extension ShardSet {
  /// What is merged.
  public enum Part: Sendable {
    /// The outputs.
    case output
    /// The files of rejects.
    case rejects
  }

  /// Puts the shards' files together, in order, into one.
  ///
  /// Each is held against its manifest while it is read: length and SHA-256, and of lines that are
  /// one a document their number. The first line of later ones is left out where `hasHeader`.
  /// - Parameter output: where they go; nil only checks them.
  /// - Throws: `InputOutputError`; nothing is published then.
  public func copy(_ part: Part, to output: OutputFile?, hasHeader: Bool) throws {
    for (number, member) in members.enumerated() {
      try Task.checkCancellation()
      let file: (name: FileName, state: OutputState)
      switch part {
      case .output: file = (member.name, member.manifest.output)
      case .rejects:
        guard let rejects = member.manifest.rejects else { continue }
        file = (member.name.directory.appending(FileName(rejects.file)), rejects.state)
      }
      try requireUnchanged(file.name, file.state)
      let lines = try copy(file.name, to: output, withoutFirst: hasHeader && number > 0)
      try requireLines(lines, part, member, file.name)
    }
  }

  private func copy(
    _ name: FileName, to output: OutputFile?, withoutFirst: Bool
  ) throws -> Int {
    let reader = try LineReader(name: name, limit: .max)
    var lines = 0
    while let line = try reader.next() {
      lines += 1
      if lines % 4_096 == 0 { try Task.checkCancellation() }
      guard let output, !(withoutFirst && lines == 1) else { continue }
      try output.appendBlocking { $0 += line.bytes + [0x0A] }
      if output.pending >= BatchOutput.memberSize { try output.endMember() }
    }
    return lines
  }

  private func requireLines(_ lines: Int, _ part: Part, _ member: Member, _ name: FileName) throws {
    let counts = member.manifest.counts
    let hasRejects = member.manifest.rejects != nil
    let expected: Int
    switch part {
    case .rejects: expected = counts.rejected
    case .output:
      guard member.manifest.identity.hasLineForDocument else { return }
      expected = counts.documents - (hasRejects ? counts.rejected : 0)
    }
    guard lines != expected else { return }
    throw InputOutputError(
      .conflict, "\(terminalText(name.text)) has \(lines) lines, its manifest tells \(expected)")
  }

  private func requireUnchanged(_ name: FileName, _ state: OutputState) throws {
    let found: OutputState
    do { found = try Self.state(of: name) } catch let error as SystemError {
      throw InputOutputError(.input, "cannot read \(terminalText(name.text)): \(error)")
    }
    guard found != state else { return }
    throw InputOutputError(
      .conflict, "\(terminalText(name.text)) is not what its manifest tells: it has \(found.bytes) "
        + "bytes, expected \(state.bytes)"
        + (found.bytes == state.bytes ? " with SHA-256 \(state.sha256)" : "")
        + "; make that shard again")
  }

  private static func state(of name: FileName) throws -> OutputState {
    let system = SystemCalls.real.patient
    let descriptor = try system.open(name, O_RDONLY | O_CLOEXEC, 0)
    defer { try? system.close(descriptor) }
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    defer { room.deallocate() }
    let digest = try SHA256()
    var bytes = 0
    while true {
      try Task.checkCancellation()
      let count = try system.read(descriptor, room)
      guard count > 0 else { return OutputState(bytes: bytes, sha256: try digest.finish()) }
      try digest.update(UnsafeRawBufferPointer(rebasing: room.prefix(count)))
      bytes += count
    }
  }

  /// The counts of all shards together.
  public var counts: RunCounts {
    members.reduce(into: RunCounts()) { sum, member in
      let counts = member.manifest.counts
      sum.documents += counts.documents
      sum.triples += counts.triples
      sum.rejected += counts.rejected
      sum.unread += counts.unread
    }
  }

  /// The manifest of the whole run, whose output is `output`.
  public func manifest(output: OutputState, rejects: RunManifest.RejectFile?) -> RunManifest? {
    guard var whole = members.first?.manifest else { return nil }
    whole.identity.shard = nil
    whole.extents = whole.identity.inputs.indices.map { .init(input: $0, start: 0, end: nil) }
    (whole.counts, whole.output, whole.rejects) = (counts, output, rejects)
    whole.seconds = members.reduce(0) { $0 + $1.manifest.seconds }
    whole.resumptions = members.reduce(0) { $0 + $1.manifest.resumptions }
    whole.isDeterministic = members.allSatisfy(\.manifest.isDeterministic)
    return whole
  }
}

extension RunIdentity {
  /// The format of the output, as `--format` names it.
  public var format: String { options["--format"] ?? "jsonl" }
  /// Whether the output has a line for each document.
  var hasLineForDocument: Bool { ["jsonl", "duie"].contains(format) }
  /// Whether the output begins with a line of column names.
  public var hasHeader: Bool { ["csv", "tsv"].contains(format) }
}
