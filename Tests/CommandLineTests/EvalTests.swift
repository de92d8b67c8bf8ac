import Foundation
import Testing

@Suite(.timeLimit(.minutes(2))) struct EvalTests {
  private let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  private func write(_ name: String, _ lines: [String]) throws -> String {
    let file = folder.appending(path: name)
    try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: file)
    return file.path
  }

  private func gold() throws -> String {
    try write(
      "gold.jsonl",
      [
        #"{"text": "甲作乙", "spo_list": [{"subject": "乙", "predicate": "作者", "object": "甲"}]}"#,
        #"{"text": "丙", "spo_list": [{"subject": "丙", "predicate": "字", "object": "丁"}]}"#,
      ])
  }

  private func own(_ subject: String, _ score: Double) -> String {
    #"{"subject": {"text": "\#(subject)"}, "predicate": "作者", "object": {"text": "甲"}, "score": \#(score)}"#
  }

  private func json(_ words: [String]) throws -> [String: Any] {
    let run = try Run(["eval"] + words + ["--json"])
    #expect(run.status == 0, "\(run.errors)")
    return try #require(
      try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
  }

  @Test func `Rates, sweep, comparison and page come out of one call`() throws {
    let said = try write(
      "said.jsonl", [#"{"text": "甲作乙", "triples": [\#(own("乙", 2)), \#(own("甲作", -1))]}"#])
    let other = try write("other.jsonl", [#"{"text": "甲作乙", "triples": []}"#])
    let page = folder.appending(path: "page.html").path
    let report = try json([try gold(), said, "--against", other, "--html", page])
    #expect(report["precision"] as? Double == 1 && report["recall"] as? Double == 0.5)
    let sweep = try #require(report["sweep"] as? [[String: Any]])
    #expect(sweep.first?["precision"] as? Double == 0.5)
    let comparison = try #require(report["comparison"] as? [String: Any])
    #expect(comparison["f1_difference"] as? Double ?? 0 > 0.6)
    let html = try String(contentsOfFile: page, encoding: .utf8)
    for piece in ["<svg", "F1 0.6667", "missing: 1", "class=\"subject\""] {
      #expect(html.contains(piece), "\(piece)")
    }
    let text = try Run(["eval", try gold(), said, "--bundle", Run.bundle])
    #expect(text.status == 0 && text.output.contains("F1 0.6667  (duie1 scorer)"))
    #expect(text.output.contains("impossible, not found: (丙, 字, 丁)"), "\(text.output)")
    #expect(text.errors.contains("1 gold texts are not in"))
  }

  @Test func `Bug: gold triples that extract carried through were scored as predictions`() throws {
    let carried =
      #""spo_list": [{"subject": "乙", "predicate": "作者", "object": "甲"}]"#
    let said = try write("said.jsonl", [#"{"text": "甲作乙", "triples": [], \#(carried)}"#])
    #expect(try json([try gold(), said])["right"] as? Int == 0)
  }

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
}
