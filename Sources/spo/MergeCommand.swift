internal import ArgumentParser
internal import BatchRuns
internal import DocumentIO
internal import Foundation

struct MergeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Put the outputs of all shards of a run together.",
    discussion: """
      The outputs are those of spo extract --shard I/N --output FILE, in any order; beside each lies \
      its manifest. Before anything is written they are proven to be one run: each shard once, with \
      the same inputs, model and options, all records covered once; and each file is held against \
      its manifest while it is read. What comes out is what one run without --shard writes.

      EXAMPLE
        spo merge out-*.jsonl --output triples.jsonl
        spo merge out-*.jsonl --check
      """)

  @Argument(help: ArgumentHelp("Outputs of all shards.", valueName: "output"))
  var shards: [String]

  @Option(help: ArgumentHelp("Write them here; .gz and .zst compress.", valueName: "file"))
  var output: String?

  @Option(help: ArgumentHelp("Write the shards' rejects here.", valueName: "file"))
  var rejects: String?

  @Flag(help: "Only prove that they are whole and belong together.")
  var check = false

  func validate() throws {
    guard check == (output == nil) else {
      throw ValidationError("give --output FILE, or --check to write nothing")
    }
    guard rejects == nil || output != nil else { throw ValidationError("--rejects needs --output") }
  }

  func run() async throws {
    var inputs = try matches()
    let outputs = [("--output", output), ("--rejects", rejects)].compactMap { option, path in
      path.map { OutputPath(option, FileName(argument: $0)) }
    }
    try checkPaths(&inputs, outputs: outputs)
    let set = try ShardSet(inputs.files.map(\.name))
    guard let first = set.members.first else { return }
    let hasHeader = first.manifest.identity.hasHeader
    if let output {
      try await write(set, FileName(argument: output), hasHeader)
    } else {
      try set.copy(.output, to: nil, hasHeader: hasHeader)
      try set.copy(.rejects, to: nil, hasHeader: false)
    }
    let counts = set.counts
    Terminal.say(
      "\(set.members.count) shards are whole and of one run: \(counts.documents) documents, "
        + "\(counts.triples) triples, \(counts.rejected) rejected")
  }

  private func matches() throws -> Inputs {
    var found = try discoverInputs(shards.map(FileName.init(argument:)))
    if let notice = found.notices.first(where: \.isFailure) {
      throw InputOutputError(.input, notice.description)
    }
    found.files.removeAll { $0.name.text.hasSuffix(".manifest.json") }
    return found
  }

  private func write(_ set: ShardSet, _ name: FileName, _ hasHeader: Bool) async throws {
    let rejectsName = rejects.map { FileName(argument: $0) }
    let run = try MergedFiles(output: name, rejects: rejectsName)
    try run.fill(from: set, hasHeader: hasHeader)
    if rejectsName == nil, set.members.contains(where: { $0.manifest.rejects != nil }) {
      Terminal.say("the shards' rejects stay where they are; --rejects FILE puts them together")
    }
  }
}
