internal import BatchRuns
internal import DocumentIO
internal import EmbeddedEngine
internal import Foundation
internal import RelationBundle
internal import RelationExtraction

/// What a run uses and has done, for its journal, its manifest and `--run-info`.
final class RunInfo {
  let bundle: ModelBundle
  let extractor: RelationExtractor
  /// The engine in words, with its server.
  let engine: String
  let threshold: Float

  /// The program and its version.
  static let program = "spo \(Spo.configuration.version)"

  /// What the model is: a run that is gone on with must have the same.
  var model: [String: String] {
    let identity = extractor.engine.identity
    var model = ["engine": identity.engine]
    for digest in digests { model[digest.file] = digest.sha256 ?? digest.note }
    if identity.server == nil {
      model["precision"] = engine
    } else {
      model["model"] = identity.model
      model["version"] = identity.version
    }
    return model
  }

  /// Whether another run gives the same bytes: of a server the last digits of a score may depend on
  /// which sentences it reads together.
  var isDeterministic: Bool { extractor.engine.identity.server == nil }

  // As they were loaded, whatever lies there now. Of a served model the weights are the server's.
  private lazy var digests = (extractor.engine as? EmbeddedEngine)?.digests() ?? bundle.digests()

  init(bundle: ModelBundle, extractor: RelationExtractor, engine: String, threshold: Float) {
    (self.bundle, self.extractor) = (bundle, extractor)
    (self.engine, self.threshold) = (engine, threshold)
  }

  /// What is told beside what proves the run.
  func details(_ counts: RunCounts, seconds: Double) -> [String: Any] {
    var object: [String: Any] = [
      "program": Self.program, "bundle": bundle.directory.path,
      "sha256": digests.reduce(into: [:]) { $0[$1.file] = $1.sha256 }, "engine": engine,
      "threshold": threshold, "documents": counts.documents,
      "triples": counts.triples, "rejected": counts.rejected,
      "inputs_not_read": counts.unread, "seconds": seconds,
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
    return object
  }

  /// Writes what is told of a run to a file.
  static func write(_ object: [String: Any], to path: String) throws {
    let options: JSONSerialization.WritingOptions = [
      .prettyPrinted, .sortedKeys, .withoutEscapingSlashes,
    ]
    let json = try JSONSerialization.data(withJSONObject: object, options: options)
    try OutputFile.write(json + [0x0A], to: FileName(argument: path))
  }
}
