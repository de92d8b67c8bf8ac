public import DocumentIO
internal import Foundation

/// Outputs of all shards of one run, in their order, proven by their manifests.
public struct ShardSet: Sendable {
  /// One shard's output.
  public struct Member: Sendable {
    /// Its file.
    public var name: FileName
    /// Its manifest.
    public var manifest: RunManifest
  }

  /// The shards, by their numbers.
  public let members: [Member]

  /// Reads the manifests and proves that together they are one run: each shard once, the same
  /// program, model, options and inputs, and extents that cover each byte of each input once.
  ///
  /// - Throws: `InputOutputError` that names what is missing, twice there or different.
  public init(_ names: [FileName]) throws { try self.init(names, system: .real) }

  package init(_ names: [FileName], system: SystemCalls) throws {
    let all = try names.map { Member(name: $0, manifest: try Self.manifest(of: $0, system)) }
    members = all.sorted { Self.index($0) < Self.index($1) }
    try requireAll()
    try requireSame()
    try requireWhole()
  }

  private static func index(_ member: Member) -> Int { member.manifest.identity.shard?.index ?? 0 }

  private static func manifest(of name: FileName, _ system: SystemCalls) throws -> RunManifest {
    let names = Names(output: name)
    let shown = terminalText(name.text)
    if (try? system.status(names.journal, true)) != nil {
      throw InputOutputError(.conflict, "the run of \(shown) is not finished: resume it first")
    }
    let json: [UInt8]
    do throws(SystemError) { json = try wholeFile(names.manifest, system) } catch {
      throw InputOutputError(
        .input, "\(shown) has no manifest that can be read (\(terminalText(names.manifest.text)): "
          + "\(error)); only outputs of runs with --output FILE have one")
    }
    return try RunManifest(json, names.manifest)
  }

  private func requireAll() throws(InputOutputError) {
    for member in members where member.manifest.identity.shard == nil {
      throw InputOutputError(.conflict, "\(shown(member)) is the output of a whole run, no shard")
    }
    let count = members.first?.manifest.identity.shard?.count ?? 0
    for member in members where member.manifest.identity.shard?.count != count {
      throw InputOutputError(
        .conflict, "\(shown(member)) is shard \(shard(member)), \(shown(members[0])) is shard "
          + "\(shard(members[0])): they are of different runs")
    }
    for (first, second) in zip(members, members.dropFirst())
    where first.manifest.identity.shard == second.manifest.identity.shard {
      throw InputOutputError(
        .conflict, "shard \(shard(first)) is there twice: \(shown(first)) and \(shown(second))")
    }
    let there = Set(members.map(Self.index))
    let missing = (0..<count).filter { !there.contains($0) }
    guard missing.isEmpty else {
      let list = missing.prefix(8).map { "\($0)" }.joined(separator: ", ")
      throw InputOutputError(
        .conflict, "of \(count) shards \(missing.count) are missing: \(list)"
          + (missing.count > 8 ? " and others" : ""))
    }
  }

  private func requireSame() throws(InputOutputError) {
    guard let first = members.first else { return }
    for member in members.dropFirst() {
      var (own, other) = (member.manifest.identity, first.manifest.identity)
      (own.shard, other.shard) = (nil, nil)
      guard let difference = own.difference(from: other) else { continue }
      throw InputOutputError(
        .conflict, "\(shown(member)) differs from \(shown(first)): \(difference)")
    }
  }

  /// Each input's extents, in the order of shards, follow one another from its first byte to its
  /// end.
  private func requireWhole() throws(InputOutputError) {
    guard let inputs = members.first?.manifest.identity.inputs else { return }
    for (number, input) in inputs.enumerated() {
      var next: Int? = 0
      for extent in members.flatMap(\.manifest.extents) where extent.input == number {
        guard extent.start == next else { throw gap(input, next, extent.start) }
        next = extent.end
      }
      if let next { throw gap(input, next, nil) }
    }
  }

  private func gap(_ input: InputIdentity, _ end: Int?, _ start: Int?) -> InputOutputError {
    InputOutputError(
      .conflict, "the shards do not cover \(terminalText(input.path)) once: behind byte "
        + "\(end.map { "\($0)" } ?? "the last") comes \(start.map { "byte \($0)" } ?? "nothing")")
  }

  private func shown(_ member: Member) -> String { terminalText(member.name.text) }

  private func shard(_ member: Member) -> String {
    member.manifest.identity.shard?.description ?? "none"
  }
}
