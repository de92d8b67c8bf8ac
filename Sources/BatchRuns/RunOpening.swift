internal import DocumentIO
internal import Foundation

/// The names of a run's files.
struct Names {
  var output: FileName
  var rejects: FileName?
  /// Where checkpoints are, while the run is not finished.
  var journal: FileName { output.extended(".journal") }
  /// What proves a finished one.
  var manifest: FileName { output.extended(".manifest.json") }
}

/// Finds out how a run begins: anew, where another stopped, or not at all.
struct RunOpening {
  let names: Names
  let identity: RunIdentity
  let system: SystemCalls

  struct Opened {
    var journal: Journal?
    var checkpoint: Checkpoint?
    /// Of a run that has ended already.
    var manifest: [UInt8]?
  }

  func open(_ start: BatchOutput.Start) throws -> Opened {
    if start == .resumed, !isThere(names.journal), isThere(names.output),
      let manifest = try? wholeFile(names.manifest, system)
    {
      try requireSame(try RunManifest(manifest, names.manifest))
      return Opened(manifest: manifest)
    }
    let journal = try Journal(names.journal, system: system)
    if start == .restarted { try journal.requireJournal() }
    guard let contents = try start == .restarted ? nil : journal.contents() else {
      try journal.begin(identity)
      return Opened(journal: journal)
    }
    guard start == .resumed else { throw Self.unfinished(contents, names) }
    if let difference = identity.difference(from: contents.identity) {
      throw InputOutputError(
        .conflict,
        "\(shown) is the output of an unfinished run of something else: \(difference); "
          + "give what was given then, or begin anew with --restart")
    }
    try journal.resume(at: contents)
    return Opened(journal: journal, checkpoint: contents.checkpoint)
  }

  /// Makes sure that no unfinished run is in the way of one without a journal.
  static func requireNone(_ names: Names, _ start: BatchOutput.Start, _ system: SystemCalls) throws
  {
    guard (try? system.status(names.journal, true)) != nil else { return }
    let journal = try Journal(names.journal, system: system)
    if start == .restarted {
      try journal.requireJournal()
      return try journal.remove()
    }
    guard let contents = try journal.contents() else { return }
    throw unfinished(contents, names)
  }

  private var shown: String { terminalText(names.output.text) }

  private static func unfinished(_ contents: Journal.Contents, _ names: Names) -> InputOutputError {
    let documents = contents.checkpoint?.counts.documents ?? 0
    return InputOutputError(
      .conflict,
      "\(terminalText(names.output.text)) is the output of an unfinished run (\(documents) documents done); go on "
        + "with --resume, or give it up with --restart")
  }

  private func requireSame(_ manifest: RunManifest) throws {
    if let difference = identity.difference(from: manifest.identity) {
      throw InputOutputError(
        .conflict,
        "\(shown) is the finished output of something else: \(difference); give another "
          + "--output, or leave --resume away to replace it")
    }
    guard Self.isPublished(names.output, manifest.output, system) else {
      throw InputOutputError(
        .conflict,
        "\(shown) is not as its manifest tells, \(manifest.output.bytes) bytes; it was "
          + "changed. Leave --resume away to make it anew")
    }
  }

  private func isThere(_ name: FileName) -> Bool { (try? system.status(name, true)) != nil }

  /// Whether a file has its name already.
  static func isPublished(_ name: FileName, _ state: OutputState, _ system: SystemCalls) -> Bool {
    (try? system.status(name.extended(".partial"), false)) == nil
      && (try? system.status(name, true))?.size == state.bytes
  }
}
