import Foundation
import GlobalPointer
import Testing

@testable import EmbeddedEngine
import RelationBundle

@Suite struct BundleTests {
  /// Loads a copy of the fixture after `damage` has been done to its directory.
  private func load(_ damage: (URL) throws -> Void) throws {
    let copy = try Fixture("global").copy()
    defer { try? FileManager.default.removeItem(at: copy) }
    try damage(copy)
    _ = try EmbeddedEngine(bundle: ModelBundle(directory: copy))
  }

  private func expectError(naming words: [String], _ damage: (URL) throws -> Void) {
    #expect { try load(damage) } throws: { error in
      words.allSatisfy { "\(error)".contains($0) }
    }
  }

  private func rewriteHeader(
    _ edit: @escaping (inout [String: [String: Any]]) -> Void
  ) -> (URL) throws -> Void {
    { directory in
      let file = directory.appendingPathComponent("model.safetensors")
      let data = try Data(contentsOf: file)
      let length = Int(data[0]) | Int(data[1]) << 8
      var header =
        try JSONSerialization.jsonObject(with: data[8..<8 + length]) as? [String: [String: Any]]
        ?? [:]
      edit(&header)
      let text = try JSONSerialization.data(withJSONObject: header)
      var out = withUnsafeBytes(of: UInt64(text.count).littleEndian) { Data($0) }
      out += text
      out += data[(8 + length)...]
      try out.write(to: file)
    }
  }

  @Test func `The fixture itself loads`() throws {
    try load { _ in }
  }

  @Test func `A missing file is named`() {
    for name in ["config.json", "model.safetensors", "vocab.txt", "schema.json"] {
      expectError(naming: [name]) {
        try FileManager.default.removeItem(at: $0.appendingPathComponent(name))
      }
    }
    #expect(throws: BundleError.self) {
      try ModelBundle(directory: URL(fileURLWithPath: "/nowhere"))
    }
  }

  @Test(arguments: ["config.json", "vocab.txt", "schema.json"])
  func `Bug: a pipe, a directory or UTF-16 in place of a small file had no sentence`(_ name: String)
  {
    expectError(naming: [name, "a pipe"]) { directory in
      let file = directory.appendingPathComponent(name)
      try FileManager.default.removeItem(at: file)
      #expect(mkfifo(file.path, 0o600) == 0)
    }
    expectError(naming: [name, "a directory"]) { directory in
      let file = directory.appendingPathComponent(name)
      try FileManager.default.removeItem(at: file)
      try FileManager.default.createDirectory(at: file, withIntermediateDirectories: false)
    }
    expectError(naming: [name, "UTF-16"]) { directory in
      let file = directory.appendingPathComponent(name)
      let text = try String(contentsOf: file, encoding: .utf8)
      try Data([0xFF, 0xFE] + text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] })
        .write(to: file)
    }
  }

  @Test func `A vocabulary of more tokens than the model has is refused`() {
    expectError(naming: ["vocab.txt", "has 20 tokens, expected at most 19"]) { directory in
      let file = directory.appendingPathComponent("vocab.txt")
      let text = try String(contentsOf: file, encoding: .utf8)
      let count = text.split(separator: "\n").count
      let more = (count..<20).map { "more\($0)\n" }.joined()
      try Data((text + more).utf8).write(to: file)
    }
  }

  @Test func `Truncated weights are named with their tensor`() {
    expectError(naming: ["model.safetensors", "truncated"]) { directory in
      let file = directory.appendingPathComponent("model.safetensors")
      let data = try Data(contentsOf: file)
      try data.prefix(data.count - 4).write(to: file)
    }
    for count in [0, 7, 8, 100] {
      expectError(naming: ["model.safetensors"]) { directory in
        let file = directory.appendingPathComponent("model.safetensors")
        try Data(contentsOf: file).prefix(count).write(to: file)
      }
    }
  }

  @Test func `A hostile header reads nothing out of bounds`() {
    let name = "so_head.dense.weight"
    let edits: [([String: Any]) -> [String: Any]] = [
      { $0.merging(["data_offsets": [0, Int.max]]) { $1 } },
      { $0.merging(["data_offsets": [-8, 8]]) { $1 } },
      { $0.merging(["data_offsets": [100, 4]]) { $1 } },
      { $0.merging(["shape": [Int.max, Int.max]]) { $1 } },
      { $0.merging(["shape": [-1, 24]]) { $1 } },
      { $0.merging(["shape": [24, 48]]) { $1 } },
      { $0.merging(["dtype": "I64"]) { $1 } },
      { $0.merging(["dtype": "F16"]) { $1 } },
      { _ in [:] },
    ]
    for edit in edits {
      expectError(
        naming: [name, "model.safetensors"], rewriteHeader { $0[name] = edit($0[name] ?? [:]) })
    }
    expectError(naming: [name, "missing"], rewriteHeader { $0[name] = nil })
  }

  @Test func `A NaN in the weights is named`() {
    expectError(naming: ["NaN"]) { directory in
      let file = directory.appendingPathComponent("model.safetensors")
      var data = try Data(contentsOf: file)
      data.replaceSubrange(data.count - 4..<data.count, with: [0, 0, 0xC0, 0x7F])
      try data.write(to: file)
    }
  }

  @Test func `A bad config key is named with what was expected`() throws {
    for (key, value) in [
      ("hidden_size", "25"), ("hidden_act", "\"relu\""), ("num_attention_heads", "7"),
      ("layer_norm_eps", "0"), ("spo_heads", "{}"), ("num_predicates", "-3"),
      ("spo_temperature", "0"), ("spo_temperature", "\"warm\""),
    ] {
      expectError(naming: ["config.json"]) { directory in
        let file = directory.appendingPathComponent("config.json")
        var object =
          try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any] ?? [:]
        let options: JSONSerialization.ReadingOptions = .fragmentsAllowed
        object[key] = try JSONSerialization.jsonObject(with: Data(value.utf8), options: options)
        // 25 is no multiple of three heads; the weights would not fit either.
        try JSONSerialization.data(withJSONObject: object).write(to: file)
      }
    }
  }

  @Test func `A schema of another size is refused with both counts`() {
    expectError(naming: ["3 predicates", "schema 2"]) { directory in
      try Data(#"{"作者": 0, "歌手": 1}"#.utf8).write(
        to: directory.appendingPathComponent("schema.json"))
    }
  }
}
