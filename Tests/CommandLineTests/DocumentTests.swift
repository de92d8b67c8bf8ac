import Foundation
import TestSupport
import Testing

/// Files in and files out of the whole program.
@Suite(.ownThread, .timeLimit(.minutes(5))) struct DocumentTests {
  private let directory = FileManager.default.temporaryDirectory
    .appendingPathComponent(UUID().uuidString)
  private let bundle = ["--bundle", Run.bundle]

  init() throws {
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  }

  private func path(_ name: String) -> String { directory.appendingPathComponent(name).path }

  @discardableResult
  private func file(_ name: String, _ text: String) throws -> String {
    let url = directory.appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
    return url.path
  }

  private func text(_ name: String) throws -> String {
    try String(contentsOf: directory.appendingPathComponent(name), encoding: .utf8)
  }

  @Test(
    "Bug: an output that is the input emptied it, exit 0",
    arguments: ["--output", "--rejects", "--run-info"])
  func outputIsInput(option: String) throws {
    let input = try file("a.txt", "一二\n")
    try file("x/other", "")
    let run = try Run(["extract", input, option, path("./x/../a.txt")] + bundle)
    #expect(run.status == 2)
    #expect(run.errors.contains("\(option) ") && run.errors.contains("is the input \(input)"))
    #expect(try text("a.txt") == "一二\n")
  }

  @Test("Bug: an option that failed later had the output emptied")
  func laterOption() throws {
    let (input, output) = (try file("a.txt", "一二\n"), try file("old", "kept"))
    let run = try Run(
      ["extract", input, "--output", output, "--rejects", path("nowhere/x")] + bundle)
    #expect(run.status == 74)
    #expect(run.errors.contains("nowhere/x"))
    #expect(try text("old") == "kept")
  }

  @Test("Bug: a run that failed at its input had emptied the old output")
  func failedInput() throws {
    let (input, output) = (try file("a.csv", "id,body\n1,一\n"), try file("old", "kept"))
    let run = try Run(["extract", input, "--output", output, "--format", "csv"] + bundle)
    #expect(run.status == 2)
    #expect(
      run.errors.contains("has no column \"text\"") && run.errors.contains("nothing could be read"))
    #expect(try text("old") == "kept")
  }

  @Test("Bug: results in a directory that is read were read back at the second run")
  func readBack() throws {
    try file("d/a.txt", "一二\n三四\n")
    let arguments = ["extract", path("d"), "--output", path("d/z.jsonl")] + bundle
    let runs = try [Run(arguments), Run(arguments)]
    #expect(runs.map(\.status) == [0, 0])
    #expect(runs[1].errors.contains("z.jsonl is not read"))
    #expect(try text("d/z.jsonl").split(separator: "\n").count == 2)
  }

  @Test("Bug: one bad file in a directory ended the run")
  func badFile() throws {
    try file("d/a.txt", "一二\n")
    try file("d/b.csv", "id,body\n1,一\n")
    try file("d/c.txt.xz", "\u{FD}")
    try file("d/e.txt", "三四\n")
    try Data([0xFF, 0xFE, 0x2D, 0x4E]).write(to: directory.appendingPathComponent("d/d.txt"))
    let run = try Run(["extract", path("d")] + bundle)
    #expect(run.status == 1)
    for name in ["b.csv has no column", "d.txt is UTF-16 text"] {
      #expect(run.errors.contains(name))
    }
    #expect(run.errors.contains("inputs not read"))
    #expect(run.output.contains("一二") && run.output.contains("三四"))
  }

  @Test("A name that is no UTF-8 can be given")
  func bytes() throws {
    let name = Array("\(directory.path)/".utf8) + [0xB9, 0xFA] + Array(".txt".utf8)
    let script = "printf '一二\\n' > \"$0\"; exec \"$@\" \"$0\""
    // Only a shell can be given such a name: Foundation has no arguments of bytes.
    let shown = name.map { $0 < 0x80 ? String(UnicodeScalar($0)) : "\\x\(String($0, radix: 16))" }
    let command =
      "n=$'\(shown.joined())'; bash -c '\(script.replacing("'", with: "'\\''"))' \"$n\" "
    let process = Process()
    let stdout = Pipe()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = [
      "-c", command + ([Run.program.path, "extract"] + bundle).joined(separator: " "),
    ]
    process.standardOutput = stdout
    process.standardError = FileHandle.nullDevice
    try process.run()
    let output = String(decoding: stdout.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(output.contains(#"\\xb9\\xfa.txt"#))
  }

  @Test("The run's record has the hashes of the files and the counts of the summary")
  func runInfo() throws {
    let arguments = ["extract", "--threshold=-100", "--text", "一二三", "--text", ""]
    let run = try Run(arguments + ["--run-info", path("run.json")] + bundle)
    let data = try Data(contentsOf: directory.appendingPathComponent("run.json"))
    let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    let hashes = try #require(object["sha256"] as? [String: String])
    #expect(
      hashes.keys.sorted() == ["config.json", "model.safetensors", "schema.json", "vocab.txt"])
    #expect(hashes.values.allSatisfy { $0.count == 64 })
    #expect(Set(hashes.values).count == 4)
    let record = try JSONSerialization.jsonObject(
      with: Data(run.output.split(separator: "\n")[0].utf8))
    let triples = try #require((record as? [String: Any])?["triples"] as? [Any])
    #expect(triples.count > 0 && object["triples"] as? Int == triples.count)
    #expect(object["documents"] as? Int == 2 && object["rejected"] as? Int == 1)
    #expect(run.errors.contains("2 documents, \(triples.count) triples, 1 rejected"))
  }

  @Test("A run that is stopped keeps what it wrote in FILE.partial, and leaves FILE")
  func stopped() throws {
    let output = try file("old", "kept")
    let process = Process()
    let (stdin, stderr) = (Pipe(), Pipe())
    process.executableURL = Run.program
    process.arguments = ["extract", "--output", output, "--look-ahead", "1"] + bundle
    (process.standardInput, process.standardError) = (stdin, stderr)
    try process.run()
    stdin.fileHandleForWriting.write(Data("一二\n三四\n".utf8))
    while ((try? text("old.partial")) ?? "").split(separator: "\n").count < 2 { usleep(10_000) }
    process.interrupt()
    process.waitUntilExit()
    #expect(process.terminationStatus == 130)
    #expect(try text("old") == "kept")
    #expect(try text("old.partial").split(separator: "\n").count == 2)
    let errors = String(decoding: stderr.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    #expect(errors.contains("old.partial"))
  }

  @Test("Bug: a closed standard input was waited for")
  func closedInput() throws {
    let process = Process()
    let stderr = Pipe()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = ["-c", "\(Run.program.path) extract --bundle \(Run.bundle) <&-"]
    process.standardError = stderr
    try process.run()
    let errors = String(decoding: stderr.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 2)
    #expect(errors.contains("standard input cannot be read: it is closed"))
  }

  @Test("Bug: control characters of a text reached the terminal")
  func control() throws {
    let text = ["--text", "一\u{1B}[2J二"]
    for format in [["--format", "pretty"], ["--explain", "一", "作者", "二"]] {
      let run = try Run(["extract"] + text + format + bundle)
      #expect(run.output.contains("一\\u001b[2J二"))
      #expect(!run.output.utf8.contains(0x1B))
    }
  }

  @Test("Error records carry the other fields of the input")
  func carried() throws {
    let run = try Run(
      ["extract", "--input-format", "jsonl"] + bundle, input: "{\"id\": 7, \"text\": \"\"}\n")
    #expect(run.output.contains("\"error\": \"the text is empty\", \"id\": 7}"))
  }

  @Test("JSON Lines that are read as text are noted")
  func note() throws {
    let run = try Run(["extract"] + bundle, input: "{\"text\": \"一\"}\n")
    #expect(run.status == 0)
    #expect(run.errors.contains("standard input looks like JSON Lines"))
  }

  @Test("A report may not take the place of what is scored")
  func report() throws {
    let gold = try file("gold.jsonl", "{\"text\": \"一\", \"spo_list\": []}\n")
    let run = try Run(["eval", gold, gold, "--html", gold])
    #expect(run.status == 2 && run.errors.contains("--html \(gold) is the input"))
    #expect(try text("gold.jsonl").hasPrefix("{"))
  }
}
