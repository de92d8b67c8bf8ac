import GlobalPointer
import Inference
import RelationExtraction
import TestSupport
import WordPiece

extension RelationExtractor {
  /// An extractor over a `RuleEngine`, whose calls do first what `hook` does.
  static func rule(
    _ edit: (inout Configuration) -> Void = { _ in },
    limits: EngineLimits = EngineLimits(batchRows: 3, batchTokens: 30, concurrency: 2),
    hook: @escaping RuleEngine.Hook = { _ throws(InferenceError) in }
  ) throws -> RelationExtractor {
    var configuration = Configuration()
    edit(&configuration)
    let engine = try RuleEngine(limits: limits, hook: hook)
    return try RelationExtractor(
      tokenizer: BertTokenizer(vocabulary: engine.vocabulary), engine: engine,
      schema: RelationSchema(predicates: [.init(name: "之", types: [])]),
      configuration: configuration)
  }
}
