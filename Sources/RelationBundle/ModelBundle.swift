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
    let configFile = directory.appendingPathComponent("config.json")
    configuration = try ModelConfiguration(contentsOf: configFile)
    vocabulary = try Vocabulary(
      contentsOf: directory.appendingPathComponent("vocab.txt"),
      atMost: configuration.vocabularySize)
    schema = try RelationSchema(contentsOf: directory.appendingPathComponent("schema.json"))
    try schema.require(count: configuration.predicateCount)
  }

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
