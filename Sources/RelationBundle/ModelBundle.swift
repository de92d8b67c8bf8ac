public import Foundation
public import GlobalPointer
public import Inference
public import WordPiece

/// One model version directory: `config.json`, `model.safetensors`, `vocab.txt`, `schema.json`.
public struct ModelBundle: Sendable {
  /// The directory.
  public let directory: URL
  /// The model's sizes and heads.
  public let configuration: ModelConfiguration
  /// Its tokens.
  public let vocabulary: Vocabulary
  /// Its predicates.
  public let schema: RelationSchema

  /// config.json, schema.json and vocab.txt as they were read.
  private let files: [BundleFile]

  /// Reads the small files and checks that they fit each other; the weights are opened by the
  /// engine.
  ///
  /// - Throws: `BundleError`, `VocabularyError` or `SchemaError`.
  public init(directory: URL) throws {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: directory.path, isDirectory: &isDirectory),
      isDirectory.boolValue
    else { throw BundleError(directory.path, "there is no such directory") }
    self.directory = directory
    func file(_ name: String) throws -> (BundleFile, URL) {
      let url = directory.appendingPathComponent(name)
      return (try BundleFile(path: url.path), url)
    }
    let config = try file("config.json")
    configuration = try ModelConfiguration(config.0)
    let vocabularyFile = try file("vocab.txt")
    vocabulary = try Vocabulary(
      contentsOf: vocabularyFile.1, atMost: configuration.vocabularySize)
    let schemaFile = try file("schema.json")
    schema = try RelationSchema(contentsOf: schemaFile.1)
    try schema.require(count: configuration.predicateCount)
    files = [config.0, schemaFile.0, vocabularyFile.0]
    for file in files { try file.requireInPlace() }
  }

  /// The SHA-256 of config.json, schema.json and vocab.txt, in this order, as they were read here.
  ///
  /// A file that was replaced since is hashed as it was; of one that was overwritten in place the
  /// digest has a note instead of a hash. Nothing is hashed before it is asked for.
  public func digests() -> [FileDigest] { files.map { $0.digest() } }

  /// The weights' file.
  public var weightsPath: String { directory.appendingPathComponent("model.safetensors").path }

  /// The sizes that its config.json gives.
  public var modelShape: ModelShape {
    ModelShape(
      vocabularySize: configuration.vocabularySize, predicateCount: configuration.predicateCount,
      maximumTokens: configuration.maximumPositions)
  }

  /// What scores are divided by for confidences; see `ModelConfiguration.temperature`.
  public var temperature: Float { configuration.temperature }
}
