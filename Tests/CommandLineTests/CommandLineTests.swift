import Foundation
import TestSupport
import Testing

/// Runs the built program as a user does.
struct Run {
  let status: Int32
  let output: String
  let errors: String

  init(_ arguments: [String], input: String = "") throws {
    let process = Process()
    let (stdin, stdout, stderr) = (Pipe(), Pipe(), Pipe())
    process.executableURL = Self.program
    process.arguments = arguments
    (process.standardInput, process.standardOutput, process.standardError) = (stdin, stdout, stderr)
    try process.run()
    stdin.fileHandleForWriting.write(Data(input.utf8))
    try stdin.fileHandleForWriting.close()
    // Outputs here stay below a pipe's buffer, so reading one after the other cannot block.
    output = String(decoding: stdout.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    errors = String(decoding: stderr.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    status = process.terminationStatus
  }

  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
  static let program = Bundle.main.bundleURL.deletingLastPathComponent()
    .appendingPathComponent("debug/spo")
  static let bundle = root.appendingPathComponent("Tests/EmbeddedEngineTests/Fixtures/global").path
}

@Suite(.ownThread, .timeLimit(.minutes(5))) struct CommandLineTests {
  private let bundle = ["--bundle", Run.bundle]

  @Test func `One line in, one line out, in order, the bad ones too`() throws {
    let run = try Run(["extract", "--quiet"] + bundle, input: "一二三\n\n四五\n")
    let lines = run.output.split(separator: "\n")
    #expect(lines.count == 3)
    #expect(lines[0].contains("\"line\": 1"))
    #expect(lines[1].contains("\"error\": \"the line is empty\""))
    #expect(lines[2].contains("四五"))
    #expect(run.status == 1)
    #expect(run.errors.isEmpty)
  }

  @Test func `The demo bundle extracts from real sentences`() throws {
    let demo = Run.root.appendingPathComponent("model_repository/spo_onnx/1").path
    // The first is the talk's own; of its two triples the demo model finds this one.
    let cases = [
      (
        "《宝宝观察力训练》是2009年上海科学普及出版社出版的图书，作者是林怡育儿工作室。",
        #"{"subject": "宝宝观察力训练", "predicate": "出版社", "object": "上海科学普及出版社"}"#
      ),
      ("《离开》是由张宇谱曲，演唱", #"{"subject": "离开", "predicate": "作曲", "object": "张宇"}"#),
    ]
    for (text, triple) in cases {
      let run = try Run(["extract", "--bundle", demo, "--format", "duie", "--text", text])
      #expect(run.status == 0)
      #expect(run.output.contains(triple), "\(run.output)")
    }
  }

  @Test func `A bundle's temperature makes its confidences`() throws {
    let warm = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.copyItem(at: URL(fileURLWithPath: Run.bundle), to: warm)
    defer { try? FileManager.default.removeItem(at: warm) }
    let file = warm.appendingPathComponent("config.json")
    let object = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
    var config = try #require(object as? [String: Any])
    config["spo_temperature"] = 3
    try JSONSerialization.data(withJSONObject: config).write(to: file)
    let run = try Run(
      ["extract", "--bundle", warm.path, "--threshold=-100", "--text", "一二三"])
    let record = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
    let triples = try #require(record?["triples"] as? [[String: Any]])
    #expect(!triples.isEmpty)
    for triple in triples {
      let score = try #require(triple["score"] as? Double)
      let confidence = try #require(triple["confidence"] as? Double)
      #expect(abs(confidence - 1 / (1 + exp(-score / 3))) < 1e-5)
    }
  }

  @Test func `Rejects go to their file with their bytes`() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    let run = try Run(
      ["extract", "--input-format", "jsonl", "--rejects", file] + bundle,
      input: "{\"text\": \"一\"}\n{oops}\n")
    #expect(run.status == 1)
    #expect(run.output.split(separator: "\n").count == 1)
    let rejects = try String(contentsOfFile: file, encoding: .utf8)
    #expect(rejects.contains("\"line\": 2") && rejects.contains("\"raw\": \"{oops}\""))
  }

  @Test func `Too many rejects stop the run`() throws {
    let run = try Run(["extract", "--max-rejects", "1"] + bundle, input: "\n\n\n")
    #expect(run.status == 2)
    #expect(run.errors.contains("--max-rejects"))
  }

  @Test(arguments: [
    (["extract", "--threshold", "nan"], Int32(2), "threshold"),
    (["extract", "--predicate", "无此"], 2, "无此"),
    (["extract", "/nowhere/x.txt"], 2, "/nowhere/x.txt"),
    (["extract", "--text", "x", "y.txt"], 2, "not both"),
    (["extract", "--subject-type", "人物"], 2, "no entity types"),
    (["extract", "--output", "/nowhere/out"], 74, "/nowhere/out"),
    (["extract", "--colour"], 2, "--colour"),
    (["tokenize", "--max-tokens", "1"], 2, "at least 2"),
  ])
  func `A wrong use is told, with its exit code`(
    arguments: [String], status: Int32, words: String
  ) throws {
    let run = try Run(arguments + bundle)
    #expect(run.status == status, "\(run.errors)")
    #expect(run.errors.contains(words), "\(run.errors)")
    #expect(run.output.isEmpty)
  }

  @Test func `A missing bundle is permanent`() throws {
    let run = try Run(["extract", "--bundle", "/nowhere", "--text", "x"])
    #expect(run.status == 42)
    #expect(run.errors.contains("/nowhere"))
  }

  @Test func `A full disk is told`() throws {
    let run = try Run(["extract", "--output", "/dev/full", "--text", "一"] + bundle)
    #expect(run.status == 74)
    #expect(run.errors.contains("No space left"))
  }

  @Test func `A closed pipe is quiet`() throws {
    let script =
      "printf '一二\\n%.0s' {1..5000} | \(Run.program.path) extract --bundle \(Run.bundle) "
      + "| head -1 >/dev/null; exit ${PIPESTATUS[1]}"
    let process = Process()
    let stderr = Pipe()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = ["-c", script]
    process.standardError = stderr
    try process.run()
    process.waitUntilExit()
    let errors = String(decoding: stderr.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    #expect(process.terminationStatus == 0)
    #expect(errors.isEmpty, "\(errors)")
  }

  @Test func `Ctrl-C while waiting for input ends with 130 and whole lines`() throws {
    let process = Process()
    let (stdin, stdout, stderr) = (Pipe(), Pipe(), Pipe())
    process.executableURL = Run.program
    process.arguments = ["extract", "--look-ahead", "1"] + bundle
    (process.standardInput, process.standardOutput, process.standardError) = (stdin, stdout, stderr)
    try process.run()
    stdin.fileHandleForWriting.write(Data("一二\n三四\n五六\n".utf8))
    let first = stdout.fileHandleForReading.availableData
    process.interrupt()
    process.waitUntilExit()
    let all = first + stdout.fileHandleForReading.readDataToEndOfFile()
    #expect(process.terminationStatus == 130)
    #expect(all.last == 0x0A)
    let errors = String(decoding: stderr.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    #expect(errors.contains("interrupted"))
  }

  @Test func `Tokenize writes ids, tokens and offsets`() throws {
    let run = try Run(["tokenize", "--text", "一二"] + bundle)
    #expect(
      run.output == #"{"ids": [2, 5, 6, 3], "tokens": ["[CLS]", "一", "二", "[SEP]"], "#
        + #""offset_unit": "codepoint", "offsets": [[0, 0], [0, 1], [1, 2], [0, 0]]}"# + "\n")
  }

  @Test func `Explain names the four conditions`() throws {
    let run = try Run(["extract", "--text", "一二三四", "--explain", "一", "作者", "三"] + bundle)
    #expect(run.status == 0)
    for word in ["entity: 一 is a subject", "so_head", "so_tail", "score"] {
      #expect(run.output.contains(word))
    }
  }
}
