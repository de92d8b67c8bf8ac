import Foundation
import TestSupport
import Testing

/// What `spo eval` computes of files that are right, and its end.
@Suite(.ownThread, .timeLimit(.minutes(5))) struct EvalTests: EvalFiles {
  let folder: URL

  init() throws { folder = try Self.makeFolder() }

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

  @Test func `Control characters of a text do not reach the terminal`() throws {
    let text = #"{"text": "甲\u001b[2J乙", "triples": []}"#
    let gold = try write(
      "g.jsonl",
      [
        #"{"text": "甲\u001b[2J乙", "spo_list": [{"subject": "甲\u001b[2J", "predicate": "p\u0007", "object": "乙"}]}"#
      ])
    let run = try Run(["eval", gold, try write("said.jsonl", [text])])
    #expect(run.status == 0 && run.output.contains(#"甲\u001b[2J乙"#), "\(run.output)")
    #expect(!run.output.contains("\u{1B}") && !run.output.contains("\u{7}"))
  }

  @Test func `Bug: Ctrl-C did not end an evaluation that computes`() throws {
    // One sentence whose triples must be compared pair by pair: minutes of work.
    let triples = (0..<40_000).map { #"{"subject": "s\#($0)", "predicate": "p", "object": "o"}"# }
    let line = #"{"text": "t", "spo_list": [\#(triples.joined(separator: ", "))]}"#
    let (gold, alias) = (try write("g.jsonl", [line]), try write("alias.tsv", ["a\tb"]))
    let process = Process()
    process.executableURL = Run.program
    process.arguments = ["eval", gold, gold, "--alias", alias]
    process.standardError = FileHandle.nullDevice
    try process.run()
    // Reading takes a part of a second; whoever has worked for so long compares.
    while process.isRunning, try seconds(of: process) < 5 { usleep(10_000) }
    #expect(process.isRunning)
    process.interrupt()
    process.waitUntilExit()
    #expect(process.terminationStatus == 130)
  }

  /// The seconds of CPU that a process has taken, from Linux's table.
  private func seconds(of process: Process) throws -> Double {
    let table = try String(
      contentsOfFile: "/proc/\(process.processIdentifier)/stat", encoding: .utf8)
    // Behind the name, which may hold anything: the state, ten numbers, user and system ticks.
    let fields = table[(table.lastIndex(of: ")") ?? table.startIndex)...].split(separator: " ")
    let ticks = fields[12...13].compactMap { Double($0) }.reduce(0, +)
    return ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
  }
}
