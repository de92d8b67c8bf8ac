import Foundation
import TestSupport
import Testing

/// Where reports go: a page, standard output.
@Suite(.ownThread, .timeLimit(.minutes(5))) struct EvalOutputTests: EvalFiles {
  let folder: URL

  init() throws { folder = try Self.makeFolder() }

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

  @Test func `A page does not replace a file of the bundle, nor what standard output writes`()
    throws
  {
    let vocabulary = try write("vocab.txt", ["[PAD]"])
    let bundled = try Run(
      ["eval", try gold(), try gold(), "--bundle", folder.path, "--html", vocabulary])
    #expect(bundled.status == 2 && bundled.errors.contains("--html"), "\(bundled.errors)")
    let report = folder.path + "/report"
    let words = "eval '\(try gold())' '\(try gold())' --html '\(report)' >'\(report)'"
    #expect(try shell(words) == 2)
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
    // A file that is opened later does not take the place of standard output.
    let page = folder.path + "/page.html"
    #expect(try shell("\(words) --html '\(page)' >&-") == 74)
    let html = try? String(contentsOfFile: page, encoding: .utf8)
    #expect(html?.hasSuffix("</html>\n") != false)
  }

  @Test(arguments: ["", "--json"])
  func `Bug: a comparison that could not be written was a success`(_ option: String) throws {
    let text = try write("text.txt", ["一二三"])
    let words = "compare embedded embedded --bundle '\(Run.bundle)' '\(text)' \(option)"
    #expect(try shell("\(words) >/dev/null") == 0)
    #expect(try shell("\(words) >/dev/full") == 74)
    #expect(try shell("\(words) >&-") == 74)
  }

  @Test func `Bug: tokens that could not be written were a success`() throws {
    #expect(try shell("tokenize --bundle '\(Run.bundle)' --text 一 >/dev/full") == 74)
    #expect(try shell("tokenize --bundle '\(Run.bundle)' --text 一 >&-") == 74)
  }

  @Test(arguments: ["--help", "--version", "extract --help"])
  func `Bug: help that could not be written was a success`(_ words: String) throws {
    #expect(try shell("\(words) >/dev/null") == 0)
    #expect(try shell("\(words) >/dev/full") == 74)
  }

  @Test func `Bug: without a standard input a run waited for ever`() throws {
    let words = "--bundle '\(Run.bundle)'"
    #expect(try shell("tokenize \(words) <&-") == 2)
    #expect(try shell("tokenize \(words) --text 一 <&- >/dev/null") == 0)
  }
}
