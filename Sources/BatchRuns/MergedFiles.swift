public import DocumentIO
internal import Foundation

/// The files that a merge writes: output, rejects and manifest, published together at its end.
public struct MergedFiles {
  private let names: Names
  private let output: OutputFile
  private let rejects: OutputFile?

  /// The files; nothing is changed before `fill`.
  ///
  /// - Throws: `InputOutputError` when one cannot be written, or an unfinished run is in the way.
  public init(output: FileName, rejects: FileName?) throws {
    names = Names(output: output, rejects: rejects)
    self.output = try OutputFile(output)
    self.rejects = try rejects.map { try OutputFile($0) }
    if self.output.isFile { try RunOpening.requireNone(names, .new, .real) }
  }

  /// Writes all that the shards hold, and the manifest of the whole beside it.
  public func fill(from shards: ShardSet, hasHeader: Bool) throws {
    do {
      try output.beginDigest()
      try rejects?.beginDigest()
      try shards.copy(.output, to: output, hasHeader: hasHeader)
      if let rejects { try shards.copy(.rejects, to: rejects, hasHeader: false) }
      let states = (output: try output.seal(), rejects: try rejects?.seal())
      try publish(shards, states)
    } catch {
      // The shards are still there: nothing of a merge that failed is worth keeping.
      output.discardPartial()
      rejects?.discardPartial()
      throw error
    }
  }

  private func publish(
    _ shards: ShardSet, _ states: (output: OutputState, rejects: OutputState?)
  ) throws {
    var rejectFile: RunManifest.RejectFile?
    if let name = names.rejects, let state = states.rejects {
      rejectFile = .init(file: name.lastComponent.text, state: state)
    }
    let manifest = shards.manifest(output: states.output, rejects: rejectFile)
    try output.publish()
    try rejects?.publish()
    guard output.isFile, let manifest else { return }
    let more = ["merged_from": shards.members.map { $0.name.text }]
    try OutputFile.write(try manifest.json(with: more), to: names.manifest)
  }
}
