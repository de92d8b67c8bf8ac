internal import BatchRuns
internal import DocumentIO
internal import Foundation

/// A run of which nothing, or nothing but the names of its files, is left to do.
struct DurableRun {
  let batch: BatchOutput
  let output: String
  let isQuiet: Bool

  /// What it did; nil where there is something to read.
  func ended() throws -> RunCounts? {
    if let json = batch.finished {
      let manifest = try RunManifest(json, FileName(argument: "\(output).manifest.json"))
      say(
        "\(terminalText(output)) is finished: \(manifest.counts.documents) documents, "
          + "\(manifest.counts.triples) triples")
      return manifest.counts
    }
    guard let resumed = batch.resumed else { return nil }
    if resumed.manifest != nil {
      try batch.publishResumed()
      say(
        "all \(resumed.counts.documents) documents had been written; \(terminalText(output)) has "
          + "its name now")
      return resumed.counts
    }
    say("going on behind \(resumed.counts.documents) documents")
    return nil
  }

  private func say(_ message: String) { if !isQuiet { Terminal.say(message) } }
}
