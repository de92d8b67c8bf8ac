internal import DocumentIO
internal import EmbeddedEngine
internal import Foundation
internal import RelationExtraction

/// What a run used and did, once per run: program, model files by hash, settings, counts.
struct RunInfo {
  let path: String
  let bundle: ModelBundle
  let engine: String
  let threshold: Float
  /// The served model that was asked; nil for the embedded engine.
  let served: ServedModel?

  /// A model of a server, as it was when the run began.
  struct ServedModel {
    var name: String
    /// The version that was asked for; empty where the server chose among `versions`.
    var version: String
    var versions: [String]
  }

  /// The bundle's files that were used: of a served model the weights are the server's own.
  private var files: [String] {
    ["config.json", "schema.json", "vocab.txt"] + (served == nil ? ["model.safetensors"] : [])
  }

  func write(_ summary: ExtractRun.Summary, _ extractor: RelationExtractor) throws {
    var hashes: [String: String] = [:]
    for name in files {
      hashes[name] = try sha256(ofFile: bundle.directory.appendingPathComponent(name).path)
    }
    var object: [String: Any] = [
      "program": "spo \(Spo.configuration.version)", "bundle": bundle.directory.path,
      "sha256": hashes, "engine": engine, "threshold": threshold, "documents": summary.records,
      "triples": summary.triples, "rejected": summary.rejected,
      "inputs_not_read": summary.unread, "seconds": summary.seconds,
    ]
    object["serving"] = extractor.servingRecord
    if let served {
      object["served"] =
        [
          "model": served.name, "version_asked": served.version, "versions": served.versions,
        ] as [String: Any]
    }
    let options: JSONSerialization.WritingOptions = [
      .prettyPrinted, .sortedKeys, .withoutEscapingSlashes,
    ]
    let json = try JSONSerialization.data(withJSONObject: object, options: options)
    try OutputFile.write(json + [0x0A], to: FileName(argument: path))
  }
}
