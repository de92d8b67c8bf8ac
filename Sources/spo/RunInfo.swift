internal import DocumentIO
internal import RelationBundle
internal import Foundation
internal import RelationExtraction

/// What a run used and did, once per run: program, model files by hash, settings, counts.
struct RunInfo {
  let path: String
  let bundle: ModelBundle
  let engine: String
  let threshold: Float

  private static let files = ["config.json", "model.safetensors", "schema.json", "vocab.txt"]

  func write(_ summary: ExtractRun.Summary, _ extractor: RelationExtractor) throws {
    var hashes: [String: String] = [:]
    for name in Self.files {
      hashes[name] = try sha256(ofFile: bundle.directory.appendingPathComponent(name).path)
    }
    var object: [String: Any] = [
      "program": "spo \(Spo.configuration.version)", "bundle": bundle.directory.path,
      "sha256": hashes, "engine": engine, "threshold": threshold, "documents": summary.records,
      "triples": summary.triples, "rejected": summary.rejected, "seconds": summary.seconds,
    ]
    object["serving"] = extractor.servingRecord
    let options: JSONSerialization.WritingOptions = [
      .prettyPrinted, .sortedKeys, .withoutEscapingSlashes,
    ]
    let json = try JSONSerialization.data(withJSONObject: object, options: options)
    let sink = try OutputSink(path: path)
    try sink.append { $0 += json + [0x0A] }
    try sink.flush()
  }
}
