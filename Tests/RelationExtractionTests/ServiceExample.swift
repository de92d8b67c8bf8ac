import EmbeddedEngine
import RelationBundle
import Foundation
import RelationExtraction

/// The documentation's example, compiled: a service that answers with triples.
func serviceExample() async throws {
  let bundle = try ModelBundle(directory: URL(fileURLWithPath: "model_repository/spo_onnx/1"))
  let extractor = try RelationExtractor(bundle: bundle, engine: EmbeddedEngine(bundle: bundle))
  for triple in try await extractor.extract("《离开》是由张宇谱曲，演唱") {
    print(triple.subject.text, triple.predicate, triple.object.text, triple.score)
  }
}
