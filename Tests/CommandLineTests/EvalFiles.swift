import Foundation
import Testing

/// Files that a test of `spo eval` writes, in a folder of its own.
protocol EvalFiles {
  var folder: URL { get }
}

extension EvalFiles {
  static func makeFolder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
  }

  func write(_ name: String, _ lines: [String]) throws -> String {
    let file = folder.appending(path: name)
    try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: file)
    return file.path
  }

  func write(_ name: String, bytes: [UInt8]) throws -> String {
    let file = folder.appending(path: name)
    try Data(bytes).write(to: file)
    return file.path
  }

  func gold() throws -> String {
    try write(
      "gold.jsonl",
      [
        #"{"text": "甲作乙", "spo_list": [{"subject": "乙", "predicate": "作者", "object": "甲"}]}"#,
        #"{"text": "丙", "spo_list": [{"subject": "丙", "predicate": "字", "object": "丁"}]}"#,
      ])
  }

  func own(_ subject: String, _ score: Double) -> String {
    #"{"subject": {"text": "\#(subject)"}, "predicate": "作者", "object": {"text": "甲"}, "score": \#(score)}"#
  }

  func json(_ words: [String]) throws -> [String: Any] {
    let run = try Run(["eval"] + words + ["--json"])
    #expect(run.status == 0, "\(run.errors)")
    return try #require(
      try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
  }

  /// The exit code of the program with a shell's redirections.
  func shell(_ words: String) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", "'\(Run.program.path)' \(words) 2>/dev/null"]
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }
}
