internal import DocumentIO
internal import EmbeddedEngine
internal import Foundation
internal import RelationBundle
internal import RelationExtraction

/// What a run used and did, once per run: program, model files by hash, settings, counts.
struct RunInfo {
  let path: String
  let bundle: ModelBundle
  let engine: String
  let threshold: Float

  func write(_ summary: ExtractRun.Summary, _ extractor: RelationExtractor) throws {
    // As they were loaded, whatever lies there now. Of a served model the weights are the server's.
    let digests = (extractor.engine as? EmbeddedEngine)?.digests() ?? bundle.digests()
    var object: [String: Any] = [
      "program": "spo \(Spo.configuration.version)", "bundle": bundle.directory.path,
      "sha256": digests.reduce(into: [:]) { $0[$1.file] = $1.sha256 }, "engine": engine,
      "threshold": threshold, "documents": summary.records,
      "triples": summary.triples, "rejected": summary.rejected,
      "inputs_not_read": summary.unread, "seconds": summary.seconds,
    ]
    let notes = digests.reduce(into: [:]) { $0[$1.file] = $1.note }
    if !notes.isEmpty { object["sha256_missing"] = notes }
    object["serving"] = extractor.servingRecord
    let identity = extractor.engine.identity
    if let server = identity.server {
      var served = ["server": server, "model": identity.model]
      // Where it was not asked for and no answer told it, it is not known.
      served["version"] = identity.version
      object["served"] = served
    }
    let options: JSONSerialization.WritingOptions = [
      .prettyPrinted, .sortedKeys, .withoutEscapingSlashes,
    ]
    let json = try JSONSerialization.data(withJSONObject: object, options: options)
    try OutputFile.write(json + [0x0A], to: FileName(argument: path))
  }
}
