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
    try rule(edit, over: RuleEngine(limits: limits, hook: hook))
  }

  /// An extractor over an engine that answers as a `RuleEngine` does.
  static func rule(
    _ edit: (inout Configuration) -> Void = { _ in }, over engine: some InferenceEngine
  ) throws -> RelationExtractor {
    var configuration = Configuration()
    edit(&configuration)
    return try RelationExtractor(
      tokenizer: BertTokenizer(vocabulary: Vocabulary(tokens: RuleEngine.tokens)), engine: engine,
      schema: RelationSchema(predicates: [.init(name: "之", types: [])]),
      configuration: configuration)
  }
}
