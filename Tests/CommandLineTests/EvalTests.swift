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

  private func write(_ name: String, bytes: [UInt8]) throws -> String {
    let file = folder.appending(path: name)
    try Data(bytes).write(to: file)
    return file.path
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
    ([0xFE, 0xFF, 0x00, 0x41], "is UTF-16"), ([0x41, 0x00, 0x09, 0x00], "line 1 has a NUL"),
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

  @Test func `Bug: a mention such as span was marked within the page's own markup`() throws {
    let names = ["span", "class", "amp", "subject", "a&b", "<i>"]
    let text = "a&b <i> span class amp subject"
    let triples = names.map {
      #"{"subject": "\#($0)", "predicate": "p", "object": "\#($0)"}"#
    }
    let gold = try write(
      "g.jsonl", [#"{"text": "\#(text)", "spo_list": [\#(triples.joined(separator: ", "))]}"#])
    let said = try write("said.jsonl", [#"{"text": "\#(text)", "triples": []}"#])
    let page = folder.appending(path: "page.html").path
    #expect(try Run(["eval", gold, said, "--html", page]).status == 0)
    let html = try String(contentsOfFile: page, encoding: .utf8)
    let places = html.components(separatedBy: "<br>").dropFirst().map {
      $0.components(separatedBy: "</li>")[0]
    }
    #expect(places.count == names.count)
    for (place, name) in zip(places, names) {
      let shown = name.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
      #expect(place.contains("<span class=\"subject object\">\(shown)</span>"), "\(place)")
      let plain = place.replacing("<span class=\"subject object\">", with: "")
        .replacing("</span>", with: "")
      #expect(plain == "a&amp;b &lt;i> span class amp subject", "\(place)")
    }
  }

  @Test func `A page lists so many errors and says how many more there are`() throws {
    let triples = (0..<700).map { #"{"subject": "s\#($0)", "predicate": "p", "object": "o"}"# }
    let gold = try write(
      "g.jsonl", [#"{"text": "t", "spo_list": [\#(triples.joined(separator: ", "))]}"#])
    let said = try write("said.jsonl", [#"{"text": "t", "triples": []}"#])
    let page = folder.appending(path: "page.html").path
    #expect(try Run(["eval", gold, said, "--html", page]).status == 0)
    let html = try String(contentsOfFile: page, encoding: .utf8)
    #expect(html.components(separatedBy: "<br>").count == 501)
    #expect(html.contains("missing: 700") && html.contains("and 200 more"))
  }

  @Test(arguments: ["gold.jsonl", "link.jsonl", "hard.jsonl", "./gold.jsonl", "-"])
  func `Bug: a page that is an input replaced it`(_ name: String) throws {
    let gold = try gold()
    let before = try Data(contentsOf: URL(fileURLWithPath: gold))
    let path = { (name: String) in folder.path + "/" + name }
    try FileManager.default.createSymbolicLink(
      atPath: path("link.jsonl"), withDestinationPath: gold)
    try FileManager.default.linkItem(atPath: gold, toPath: path("hard.jsonl"))
    let run = try Run(["eval", gold, gold, "--html", name == "-" ? "-" : path(name)])
    #expect(run.status == 2 && run.errors.contains("--html"), "\(run.errors)")
    #expect(try Data(contentsOf: URL(fileURLWithPath: gold)) == before)
  }

  @Test func `A page is replaced only by one that is whole`() throws {
    let page = try write("page.html", ["old"])
    let bad = try write("bad.jsonl", ["{"])
    #expect(try Run(["eval", try gold(), bad, "--html", page]).status == 2)
    #expect(try String(contentsOfFile: page, encoding: .utf8) == "old\n")
    #expect(try Run(["eval", try gold(), try gold(), "--html", page]).status == 0)
    #expect(try String(contentsOfFile: page, encoding: .utf8).hasSuffix("</html>\n"))
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(!names.contains { $0.hasSuffix(".tmp") })
    let nowhere = try Run(["eval", try gold(), try gold(), "--html", folder.path + "/no/page"])
    #expect(nowhere.status == 74 && nowhere.errors.contains("/no/page"), "\(nowhere.errors)")
  }

  @Test(arguments: ["", "--json"])
  func `Bug: a report that could not be written was a success`(_ option: String) throws {
    let words = "eval '\(try gold())' '\(try gold())' \(option)"
    #expect(try shell("\(words) >/dev/full") == 74)
    #expect(try shell("\(words) >&-") == 74)
  }

  @Test func `Bug: tokens that could not be written were a success`() throws {
    #expect(try shell("tokenize --bundle '\(Run.bundle)' --text 一 >/dev/full") == 74)
    #expect(try shell("tokenize --bundle '\(Run.bundle)' --text 一 >&-") == 74)
  }

  /// The exit code of the program with a shell's redirections.
  private func shell(_ words: String) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", "'\(Run.program.path)' \(words) 2>/dev/null"]
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
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
