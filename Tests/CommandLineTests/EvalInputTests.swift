import Foundation
import TestSupport
import Testing

/// What `spo eval` makes of files as people have them.
@Suite(.ownThread, .timeLimit(.minutes(5))) struct EvalInputTests: EvalFiles {
  let folder: URL

  init() throws { folder = try Self.makeFolder() }

  @Test func `An empty gold file is an error`() throws {
    let empty = try write("empty.jsonl", [])
    let run = try Run(["eval", empty, empty])
    #expect(run.status == 2 && run.errors.contains("has no sentences"), "\(run.errors)")
  }

  @Test(arguments: [
    ("{\"text\": 1}", "line 1 has no \"text\""), ("no json", "line 1 is no JSON object"),
    (#"{"text": "x"}"#, "neither \"spo_list\" nor \"triples\""),
    (#"{"text": "x", "spo_list": [{"predicate": "p"}]}"#, "without subject or predicate"),
    (
      #"{"text": "x", "spo_list": [{"subject": "s", "predicate": "p", "object": 3}]}"#,
      "neither a string nor slots"
    ), (#"{"text": "x", "triples": [{"subject": "s"}]}"#, "that spo did not write"),
    (#"{"text": "fremd", "triples": []}"#, "are these the same sentences"),
  ])
  func `A file that cannot be scored is named with its line`(
    _ line: String, _ words: String
  ) throws {
    let run = try Run(["eval", try gold(), try write("bad.jsonl", [line])])
    #expect(run.status == 2 && run.errors.contains(words), "\(run.errors)")
  }

  @Test func `Bug: a byte order mark hid the first name of an alias file`() throws {
    let said = try write("said.jsonl", [#"{"text": "甲作乙", "triples": [\#(own("帝都", 2))]}"#])
    let gold = try write(
      "g.jsonl",
      [#"{"text": "甲作乙", "spo_list": [{"subject": "北京", "predicate": "作者", "object": "甲"}]}"#])
    let row = Array("帝都\t北京".utf8)
    for mark: [UInt8] in [[], [0xEF, 0xBB, 0xBF]] {
      let alias = try write("alias.tsv", bytes: mark + row)
      #expect(try json([gold, said, "--alias", alias])["right"] as? Int == 1)
    }
    let returns = try write("alias.tsv", bytes: Array("甲\t乙\r".utf8) + row + [0x0D])
    #expect(try json([gold, said, "--alias", returns])["right"] as? Int == 1)
  }

  @Test func `A byte order mark does not belong to the first line of gold and predictions`() throws
  {
    let line = Array(#"{"text": "t", "spo_list": []}"#.utf8)
    let marked = try write("marked.jsonl", bytes: [0xEF, 0xBB, 0xBF] + line)
    #expect(try json([marked, marked])["sentences"] as? Int == 1)
  }

  @Test(arguments: [
    ([0xB5, 0xDB, 0xB6, 0xBC, 0x09, 0x41] as [UInt8], "line 1 is not valid UTF-8"),
    ([0x41, 0x0A, 0xD6, 0xD0], "line 2 is not valid UTF-8"),
    ([0xFF, 0xFE, 0x41, 0x00], "is UTF-16"),
    ([0xFE, 0xFF, 0x00, 0x41], "is UTF-16"),
    ([0xFF, 0xFE, 0, 0, 0x41, 0, 0, 0], "is UTF-32"),
    ([0, 0, 0xFE, 0xFF, 0, 0, 0, 0x41], "UTF-32"), ([0x41, 0x00, 0x09, 0x00], "line 1 has a NUL"),
  ])
  func `Bug: a file that is no UTF-8 lost its names without a word`(
    _ bytes: [UInt8], _ words: String
  ) throws {
    let said = try write("said.jsonl", [#"{"text": "甲作乙", "triples": []}"#])
    let bad = try write("bad", bytes: bytes)
    for option in ["--alias", "--locations"] {
      let run = try Run(["eval", try gold(), said, option, bad])
      #expect(run.status == 2 && run.errors.contains(words), "\(run.errors)")
    }
    let run = try Run(["eval", try gold(), bad])
    #expect(run.status == 2 && run.errors.contains("bad"), "\(run.errors)")
  }

  @Test func `Bug: a U+FEFF at the start of a mention was swallowed`() throws {
    let subject = "\u{FEFF}乙"
    let triple = #"{"subject": "\#(subject)", "predicate": "作者", "object": "甲"}"#
    let marked = #"{"text": "甲作乙", "spo_list": [\#(triple)]}"#
    let said = try write("said.jsonl", [marked])
    #expect(try json([try gold(), said])["right"] as? Int == 0)
    #expect(try json([said, said])["right"] as? Int == 1)
  }

  @Test func `Of a key that a line has twice the last counts`() throws {
    let said = try write("said.jsonl", [#"{"text": "x", "triples": [], "text": "甲作乙"}"#])
    #expect(try json([try gold(), said])["sentences"] as? Int == 2)
  }

  @Test(arguments: ["\"2\"", "1e999", "true"])
  func `A score that is no finite number is named`(_ score: String) throws {
    let triple =
      #"{"subject": {"text": "乙"}, "predicate": "p", "object": {"text": "甲"}, "score": \#(score)}"#
    let said = try write("said.jsonl", [#"{"text": "甲作乙", "triples": [\#(triple)]}"#])
    let run = try Run(["eval", try gold(), said])
    #expect(run.status == 2 && run.errors.contains("expected a finite number"), "\(run.errors)")
  }
}
