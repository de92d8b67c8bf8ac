internal import DocumentIO
internal import RelationBundle
internal import Foundation
internal import Inference
internal import RelationExtraction

/// What a run used and did, once per run: program, model files by hash, settings, counts.
struct RunInfo {
  let path: String
  let bundle: ModelBundle
  let engine: String
  let threshold: Float

  /// The bundle's files that were used: of a served model the weights are the server's own.
  private func files(_ identity: EngineIdentity) -> [String] {
    ["config.json", "schema.json", "vocab.txt"]
      + (identity.server == nil ? ["model.safetensors"] : [])
  }

  func write(_ summary: ExtractRun.Summary, _ extractor: RelationExtractor) throws {
    var hashes: [String: String] = [:]
    for name in files(extractor.engine.identity) {
      hashes[name] = try sha256(ofFile: bundle.directory.appendingPathComponent(name).path)
    }
    var object: [String: Any] = [
      "program": "spo \(Spo.configuration.version)", "bundle": bundle.directory.path,
      "sha256": hashes, "engine": engine, "threshold": threshold, "documents": summary.records,
      "triples": summary.triples, "rejected": summary.rejected,
      "inputs_not_read": summary.unread, "seconds": summary.seconds,
    ]
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
