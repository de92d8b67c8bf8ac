import EmbeddedEngine
import RelationExtraction
import RelationServing
import Triton

/// A service over the library: messages with an id in, triples or a status out, in order.
struct TripleService {
  struct Message: Sendable { var (id, body) = (0, "") }
  enum Reply: Sendable, Equatable { case triples([String]), failed(status: Int) }
  let extractor: RelationExtractor

  init(_ bundle: ModelBundle, server: String?, configuration: TritonEngine.Configuration = .init())
    async throws
  {
    let engine: any InferenceEngine =
      if let server {
        try await TritonEngine(
          client: TritonClient(server), model: "spo_onnx", shape: bundle.modelShape,
          configuration: configuration)
      } else { try EmbeddedEngine(bundle: bundle) }
    extractor = try RelationExtractor(bundle: bundle, engine: engine)
  }

  func answer(_ messages: AsyncStream<Message>, with reply: (Int, Reply) async -> Void) async throws
  {
    for try await extraction in extractor.extract(messages, text: \.body) {
      switch extraction.result {
      case .success(let triples):
        let facts = triples.map { "\($0.subject.text) \($0.predicate) \($0.object.text)" }
        await reply(extraction.document.id, .triples(facts))
      case .failure(let error):
        await reply(extraction.document.id, .failed(status: Self.status(of: error)))
      }
    }
  }

  static func status(of error: InferenceError) -> Int {
    switch error.code {
    case .invalidRequest, .size: 400
    case .overloaded: 429
    case .unavailable: 503
    case .deadline: 504
    default: 500
    }
  }
}
