import GlobalPointer
import Inference
import TestSupport
import Testing
import WordPiece

@testable import RelationExtraction

@Suite struct ExtractorTests {
  private func extractor(
    _ edit: (inout RelationExtractor.Configuration) -> Void = { _ in }
  ) throws -> RelationExtractor {
    try .rule(edit)
  }

  @Test func `Offsets are bytes of the source and cut it at the mentions`() async throws {
    let text = "x 丙甲丙乙"
    let triples = try await extractor().extract(text)
    #expect(triples.count == 1)
    #expect(triples[0].subject == Mention(text: "甲", range: 5..<8))
    #expect(triples[0].object == Mention(text: "乙", range: 11..<14))
    #expect(triples[0].predicate == "之")
    #expect(triples[0].score == 6)
  }

  @Test func `A long text is windowed and nothing near is lost`() async throws {
    let sentence = "丙甲丙乙。"
    let text = String(repeating: sentence, count: 40)
    let triples = try await extractor { $0.windowOverlap = 5 }.extract(text)
    let near = triples.filter { $0.object.range.lowerBound - $0.subject.range.lowerBound == 6 }
    #expect(near.map(\.subject.range.lowerBound) == (0..<40).map { $0 * 15 + 3 })
    #expect(Set(triples).count == triples.count, "a triple seen by two windows comes once")
    #expect(triples == triples.sorted(by: Triple.precedes))
  }

  @Test func `A row that the engine refuses takes no other with it`() async throws {
    let texts = ["甲乙", "坏甲乙", "甲丙乙", "坏", ""]
    let results = try await extractor().extract(batch: texts)
    #expect(try results[0].triples.count == 1)
    #expect(try results[2].triples.count == 1)
    #expect(try results[4].triples.isEmpty)
    for bad in [1, 3] {
      #expect(throws: InferenceError.self) { try results[bad].triples }
    }
  }

  @Test func `Kept predicates and the threshold apply`() async throws {
    #expect(try await extractor { $0.predicates = [] }.extract("甲乙").isEmpty)
    #expect(try await extractor { $0.threshold = 6.5 }.extract("甲丙乙").isEmpty)
  }

  @Test func `Explain gives every occurrence its logits or its reason`() async throws {
    let extractor = try extractor()
    let found = try await extractor.explain("甲丙乙甲", subject: "甲", predicate: "之", object: "乙")
    #expect(
      found.map(\.finding) == [
        .scored(ScoreParts(subject: 9, object: 9, head: 6, tail: 6)),
        .scored(ScoreParts(subject: 9, object: 9, head: 7, tail: 7)),
      ])
    func reason(_ text: String, _ subject: String) async throws -> String {
      let found = try await extractor.explain(text, subject: subject, predicate: "之", object: "乙")
      guard case .impossible(let reason) = found[0].finding else { return "" }
      return reason
    }
    #expect(try await reason("丙乙", "甲").contains("does not occur"))
    #expect(try await reason("1979乙", "19").contains("inside the token 1979"))
    #expect(try await reason("甲" + String(repeating: "丙", count: 12) + "乙", "甲").contains("apart"))
    await #expect(throws: SchemaError.self) {
      try await extractor.explain("甲", subject: "甲", predicate: "无", object: "乙")
    }
  }

  @Test func `A schema that does not fit the model is refused`() throws {
    let two = try RelationSchema(predicates: [.init(name: "一"), .init(name: "二")])
    let engine = try RuleEngine()
    #expect(throws: SchemaError.wrongCount(model: 1, schema: 2)) {
      try RelationExtractor(
        tokenizer: BertTokenizer(vocabulary: engine.vocabulary), engine: engine, schema: two)
    }
  }
}
