import EmbeddedEngine
import Foundation
import RelationExtraction
import WordPiece

/// The documentation's example, compiled: a service that answers with triples.
func serviceExample() async throws {
  let bundle = try ModelBundle(directory: URL(fileURLWithPath: "model_repository/spo_onnx/1"))
  let extractor = try RelationExtractor(
    tokenizer: BertTokenizer(vocabulary: bundle.vocabulary),
    engine: EmbeddedEngine(bundle: bundle), schema: bundle.schema)
  for triple in try await extractor.extract("《离开》是由张宇谱曲，演唱") {
    print(triple.subject.text, triple.predicate, triple.object.text, triple.score)
  }
}
