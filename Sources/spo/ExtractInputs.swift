internal import BatchRuns
internal import DocumentIO
internal import Foundation

/// What a run reads: which parts of which inputs, and what they are.
struct ExtractInputs {
  /// All inputs, also those of other shards.
  private let inputs: Inputs
  private let texts: [String]
  private let shard: Shard?
  private let options: RecordReader.Options
  /// The parts of this run.
  private let parts: [InputPart]
  /// What this run reads, by the numbers of inputs.
  let extents: [RunManifest.ExtentRead]

  init(
    _ inputs: Inputs, texts: [String], shard: Shard?, options: RecordReader.Options
  ) throws {
    (self.inputs, self.texts, self.shard, self.options) = (inputs, texts, shard, options)
    let shards = try shard.map { try planShards(inputs, count: $0.count) }
    let all = shards ?? [inputs.files.map { InputPart($0) }]
    parts = all[shard?.index ?? 0]
    // Of each input one part begins with its first byte.
    var number = -1
    let extents = all.map { parts in
      parts.map { part in
        if part.extent.start == 0 { number += 1 }
        return RunManifest.ExtentRead(
          input: number, start: part.extent.start, end: part.extent.end)
      }
    }
    self.extents = extents[shard?.index ?? 0]
  }

  /// Why a run that writes to files cannot be gone on with once it is stopped; nil where it can.
  func obstacle(writing outputs: [OutputPath]) -> String? {
    guard texts.isEmpty else { return "--text has nothing to resume" }
    if let other = outputs.first(where: { !OutputFile.isFile($0.name) }) {
      return "\(other.option) \(terminalText(other.name.text)) is no file, so the run cannot be "
        + "resumed; name a file"
    }
    let stream = inputs.files.first { $0.byteCount == nil }
    return stream.map {
      "\($0.isStandardInput ? "standard input" : terminalText($0.name.text)) cannot be resumed; "
        + "save it in a file and name that"
    }
  }

  /// What decides the output's bytes.
  func identity(
    _ info: RunInfo, options: [String: String], hashesAll: Bool
  ) -> RunIdentity {
    // One that cannot be read is told by its reader, and the others are read.
    let identities = inputs.files.map {
      (try? InputIdentity(of: $0.name, readsAll: hashesAll)) ?? InputIdentity(unreadable: $0)
    }
    return RunIdentity(
      program: RunInfo.program, inputs: identities, shard: shard, model: info.model,
      options: options)
  }

  /// The records behind a position; all where there is none.
  func source(behind position: RunPosition?) throws -> RecordSource {
    guard texts.isEmpty else { return RecordSource(texts: texts, name: "--text") }
    // What was found out of the inputs is for one shard to say, and once.
    let notices = (shard?.index ?? 0) == 0 && position == nil ? inputs.notices : []
    var parts = parts
    if let position {
      guard parts.indices.contains(position.input) else {
        throw InputOutputError(.conflict, "the journal tells of an input that there is not")
      }
      parts[position.input].extent.after = .init(line: position.line, byte: position.byte)
    }
    return try RecordSource(
      parts, first: position?.input ?? 0, notices: notices, options: options)
  }
}
