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
    ("nonsense", "line 1"), ("{\n\"a\": 0,\n}", "line 3"), ("7", "it is a number"),
    ("{\"predicate\": \"a\"}\n\n{oops}", "line 3: expected a member's name"),
    (#"[{"subject_type": "x"}]"#, "row 1"),
    (#"[{"predicate": "a", "subject_type": "x"}]"#, "only one of"),
    (#"[{"predicate": "a", "id": 0}, {"predicate": "a", "id": 1}]"#, "lists a twice"),
  ])
  func `A bad schema is told what is wrong`(json: String, words: String) {
    #expect { try schema(json) } throws: { "\($0)".contains(words) }
  }

  @Test(arguments: [
    (#"{"a": "1", "b": "0"}"#, "the id of a is a string"), (#"{"a": 0.5, "b": 0}"#, "a is 0.5"),
    (#"{"a": 1.0, "b": 0}"#, "the id of a is 1.0, not an integer"), (#"{"a": -1}"#, "a is -1"),
    (#"{"a": true}"#, "the id of a is a truth value"), (#"{"a": null}"#, "the id of a is null"),
    (#"{"a": 0, "b": 1e3}"#, "the id of b is 1000.0"), (#"{"a": 99999999999999999999}"#, "1e+20"),
    (#"{"a": {"id": 0}}"#, "the id of a is an object"), (#"{"a": 0, "a": 1}"#, "lists a twice"),
    (#"[{"predicate": "a", "id": "1"}, {"predicate": "b", "id": "0"}]"#, "a is a string"),
    (#"[{"predicate": "a", "id": 0.5}, {"predicate": "b", "id": 0}]"#, "the id of a is 0.5"),
    (#"[{"predicate": "a", "id": null}]"#, "the id of a is null"),
    (#"[{"predicate": "a", "id": 0}, {"predicate": "b"}]"#, "b has no id and others have one"),
    (#"[{"predicate": "a"}, {"predicate": "b", "id": 1}]"#, "a has no id"),
    (#"[{"predicate": "a", "id": 1}, {"predicate": "b", "id": 1}]"#, "no id 0"),
    (
      "{\"predicate\": \"a\", \"id\": \"1\"}\n{\"predicate\": \"b\", \"id\": \"0\"}",
      "a is a string"
    ),
    (#"[{"predicate": "a", "subject_type": 1, "object_type": "x"}]"#, "neither text nor slots"),
  ])
  func `Bug: ids that are no integers were taken for none, and predicates came out swapped`(
    json: String, words: String
  ) {
    #expect { try schema(json) } throws: { "\($0)".contains(words) }
  }

  @Test func `Rows with ids are sorted by them, in every form of the rows`() throws {
    let rows = [
      #"{"predicate": "b", "id": 1}"#, #"{"predicate": "a", "id": 0}"#, #"{"predicate": "b"}"#,
    ]
    for text in ["[\(rows.joined(separator: ", "))]", rows.joined(separator: "\r\n") + "\n\n"] {
      #expect(try schema(text).predicates.map(\.name) == ["a", "b"])
    }
  }

  @Test func `A pair of types that is listed twice is one`() throws {
    let row = #"{"predicate": "a", "subject_type": "x", "object_type": "y"}"#
    #expect(try schema("\(row)\n\(row)").predicates[0].types.count == 1)
  }

  @Test func `Names that Swift takes for equal strings are two predicates`() throws {
    let schema = try schema(#"{"é": 0, "e\u0301": 1, "\ufeffé": 2}"#)
    #expect(schema.id(of: "e\u{301}") == 1 && schema.id(of: "\u{FEFF}é") == 2)
  }

  @Test func `Bug: many rows took minutes; each is looked at once`() throws {
    // Quadratic, this many would not end within the time limit of a run.
    let rows = (0..<100_000).map {
      #"{"predicate": "p\#($0)", "subject_type": "s", "object_type": "o"}"#
    }
    #expect(try schema(rows.joined(separator: "\n")).count == rows.count)
    let types = (0..<50_000).map {
      #"{"predicate": "p", "subject_type": "s\#($0)", "object_type": "o"}"#
    }
    #expect(try schema(types.joined(separator: "\n")).predicates[0].types.count == types.count)
  }

  @Test func `What is no file of text is named as what it is`() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let (pipe, wide) = (folder.appending(path: "pipe"), folder.appending(path: "wide"))
    #expect(mkfifo(pipe.path, 0o600) == 0)
    try Data([0xFF, 0xFE, 0x7B, 0x00]).write(to: wide)
    let loop = folder.appending(path: "loop")
    try FileManager.default.createSymbolicLink(at: loop, withDestinationURL: loop)
    let cases = [
      (pipe, "a pipe"), (folder, "a directory"), (URL(filePath: "/dev/zero"), "a device"),
      (wide, "UTF-16"), (loop, "symbolic links"), (folder.appending(path: "no"), "No such file"),
    ]
    for (file, words) in cases {
      #expect { try RelationSchema(contentsOf: file) } throws: {
        "\($0)".contains(words) && "\($0)".contains(file.path)
      }
    }
  }

  @Test func `A byte order mark does not belong to a schema`() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try Data([0xEF, 0xBB, 0xBF] + #"{"predicate": "a"}"#.utf8).write(to: file)
    #expect(try RelationSchema(contentsOf: file).count == 1)
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
