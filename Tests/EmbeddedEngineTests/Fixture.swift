import Foundation
import GlobalPointer
import Testing

@testable import EmbeddedEngine
import RelationBundle

/// A tiny random bundle, and what PyTorch makes of it (Scripts/goldens/engine_goldens.py).
struct Fixture {
  struct Golden: Decodable {
    let ids: [Int32]
    let entity: [Float]
    let so_head: [Float]
    let so_tail: [Float]
  }

  static let names = ["global", "efficient", "rotated"]

  let directory: URL
  let goldens: [Golden]

  init(_ name: String) throws {
    directory = try #require(Bundle.module.resourceURL).appendingPathComponent("Fixtures/\(name)")
    let data = try Data(contentsOf: directory.appendingPathComponent("logits.json"))
    goldens = try JSONDecoder().decode([Golden].self, from: data)
  }

  func engine(_ precision: Precision) throws -> EmbeddedEngine {
    var configuration = EmbeddedEngine.Configuration()
    (configuration.precision, configuration.threads) = (precision, 2)
    return try EmbeddedEngine(
      bundle: ModelBundle(directory: directory), configuration: configuration)
  }

  /// A copy in a temporary directory, for tests that break one of its files.
  func copy() throws -> URL {
    let copy = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.copyItem(at: directory, to: copy)
    return copy
  }
}
