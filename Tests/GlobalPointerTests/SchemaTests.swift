import Foundation
import Testing

@testable import GlobalPointer

@Suite struct SchemaTests {
  private func schema(_ json: String) throws -> RelationSchema {
    try RelationSchema(json: Data(json.utf8))
  }

  @Test func `The talk's form gives ids`() throws {
    let schema = try schema(#"{"出版社": 1, "作者": 0}"#)
    #expect(schema.predicates.map(\.name) == ["作者", "出版社"])
    #expect(schema.id(of: "出版社") == 1)
    #expect(throws: SchemaError.noTypes) { try schema.ids(subjectType: "人物", objectType: nil) }
  }

  @Test func `DuIE's rows merge the types of one predicate`() throws {
    let schema = try schema(
      """
      {"object_type": "人物", "predicate": "作者", "subject_type": "图书作品"}
      {"object_type": {"@value": "人物", "inWork": "影视作品"}, "predicate": "配音", "subject_type": "娱乐人物"}
      {"object_type": "人物", "predicate": "作者", "subject_type": "书籍"}
      """)
    #expect(schema.count == 2)
    #expect(schema.predicates[0].types.map(\.subject) == ["图书作品", "书籍"])
    #expect(schema.predicates[1].types == [.init(subject: "娱乐人物", object: "人物")])
    #expect(try schema.ids(subjectType: nil, objectType: "人物") == [0, 1])
    #expect(try schema.ids(subjectType: "书籍", objectType: nil) == [0])
  }

  @Test(arguments: [
    (#"{"a": 0, "b": 0}"#, "id 0 to both a and b"), (#"{"a": 0, "b": 2}"#, "no id 1"),
    (#"{"a": 1}"#, "no id 0"), (#"{"a": "x"}"#, "not an integer"), ("[1, 2]", "malformed"),
    ("nonsense", "line 1"), (#"[{"subject_type": "x"}]"#, "row 1"),
    (#"[{"predicate": "a", "subject_type": "x"}]"#, "only one of"),
    (#"[{"predicate": "a", "id": 0}, {"predicate": "a", "id": 1}]"#, "lists a twice"),
  ])
  func `A bad schema is told what is wrong`(json: String, words: String) {
    #expect { try schema(json) } throws: { "\($0)".contains(words) }
  }

  @Test func `An unknown predicate is named beside the known ones`() throws {
    let schema = try schema(#"{"作者": 0}"#)
    #expect { try schema.ids(of: ["歌手"]) } throws: {
      "\($0)".contains("歌手") && "\($0)".contains("作者")
    }
  }

  @Test func `A wrong count is told with both`() throws {
    #expect(throws: SchemaError.wrongCount(model: 500, schema: 1)) {
      try schema(#"{"作者": 0}"#).require(count: 500)
    }
  }
}
