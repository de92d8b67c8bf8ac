import Foundation
import GlobalPointer
import Testing

@testable import EmbeddedEngine
import RelationBundle

@Suite struct BundleTests {
  @Test func `The fixture itself loads`() throws {
    try loadDamaged { _ in }
  }

  @Test func `A missing file is named`() {
    for name in ["config.json", "model.safetensors", "vocab.txt", "schema.json"] {
      expectDamage(naming: [name]) {
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
    expectDamage(naming: [name, "pipe"]) { directory in
      let file = directory.appendingPathComponent(name)
      try FileManager.default.removeItem(at: file)
      #expect(mkfifo(file.path, 0o600) == 0)
    }
    expectDamage(naming: [name, "a directory"]) { directory in
      let file = directory.appendingPathComponent(name)
      try FileManager.default.removeItem(at: file)
      try FileManager.default.createDirectory(at: file, withIntermediateDirectories: false)
    }
    expectDamage(naming: [name, "UTF-16"]) { directory in
      let file = directory.appendingPathComponent(name)
      let text = try String(contentsOf: file, encoding: .utf8)
      try Data([0xFF, 0xFE] + text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] })
        .write(to: file)
    }
  }

  @Test func `A vocabulary of more tokens than the model has is refused`() {
    expectDamage(naming: ["vocab.txt", "has 20 tokens, expected at most 19"]) { directory in
      let file = directory.appendingPathComponent("vocab.txt")
      let text = try String(contentsOf: file, encoding: .utf8)
      let count = text.split(separator: "\n").count
      let more = (count..<20).map { "more\($0)\n" }.joined()
      try Data((text + more).utf8).write(to: file)
    }
  }

  @Test func `Truncated weights are named with their tensor`() {
    expectDamage(naming: ["model.safetensors", "truncated"]) { directory in
      let file = directory.appendingPathComponent("model.safetensors")
      let data = try Data(contentsOf: file)
      try data.prefix(data.count - 4).write(to: file)
    }
    for count in [0, 7, 8, 100] {
      expectDamage(naming: ["model.safetensors"]) { directory in
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
      expectDamage(
        naming: [name, "model.safetensors"], rewriteHeader { $0[name] = edit($0[name] ?? [:]) })
    }
    expectDamage(naming: [name, "missing"], rewriteHeader { $0[name] = nil })
  }

  @Test func `Tensors that share bytes are refused by name`() {
    let (a, b) = ("entity.dense.bias", "so_head.dense.bias")
    expectDamage(
      naming: ["model.safetensors", "lies over that of"],
      rewriteHeader { header in
        let count = (header[b]?["shape"] as? [Int] ?? []).reduce(4, *)
        let start = (header[a]?["data_offsets"] as? [Int] ?? [])[0]
        header[b]?["data_offsets"] = [start, start + count]
      })
  }

  @Test func `A boolean is no number in a header`() {
    let name = "entity.dense.bias"
    expectDamage(
      naming: [name, "lacks dtype, shape"], rewriteHeader { $0[name]?["shape"] = [true] })
    expectDamage(
      naming: [name, "lacks dtype, shape"],
      rewriteHeader { $0[name]?["data_offsets"] = [false, 48] })
  }

  @Test func `Bug: a header of a million tensors is refused by its size, not read for minutes`() {
    expectDamage(naming: ["model.safetensors", "10000000 are read"]) { directory in
      let length = SafeTensors.largestHeader + 1
      var data = withUnsafeBytes(of: UInt64(length).littleEndian) { Data($0) }
      data += Data(repeating: UInt8(ascii: " "), count: length)
      try data.write(to: directory.appendingPathComponent("model.safetensors"))
    }
  }

  @Test(arguments: [
    "bert.embeddings.word_embeddings.weight", "bert.embeddings.position_embeddings.weight",
    "bert.embeddings.token_type_embeddings.weight", "bert.encoder.layer.1.output.dense.weight",
    "bert.encoder.layer.0.output.LayerNorm.bias", "so_tail.dense.bias",
  ])
  func `Bug: a NaN is found in every tensor, embedding tables too`(name: String) {
    for bits: [UInt8] in [[0, 0, 0xC0, 0x7F], [0, 0, 0x80, 0xFF]] {
      expectDamage(naming: ["model.safetensors", name, "NaN or an infinity"]) { directory in
        let file = directory.appendingPathComponent("model.safetensors")
        var data = try Data(contentsOf: file)
        let start = 8 + Int(data[0]) + Int(data[1]) << 8
        let header = try JSONSerialization.jsonObject(with: data[8..<start]) as? [String: Any]
        let entry = try #require(header?[name] as? [String: Any])
        let end = start + (try #require(entry["data_offsets"] as? [Int]))[1]
        data.replaceSubrange(end - 4..<end, with: bits)
        try data.write(to: file)
      }
    }
  }

  @Test func `A NaN in the weights is named`() {
    expectDamage(naming: ["NaN"]) { directory in
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
      ("spo_temperature", "0"), ("spo_temperature", "\"warm\""), ("spo_temperature", "true"),
      ("num_hidden_layers", "true"), ("type_vocab_size", "true"), ("hidden_size", "24.5"),
      ("num_attention_heads", "18446744073709551616"),
    ] {
      expectDamage(naming: ["config.json", key]) { directory in
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
    expectDamage(naming: ["3 predicates", "schema 2"]) { directory in
      try Data(#"{"作者": 0, "歌手": 1}"#.utf8).write(
        to: directory.appendingPathComponent("schema.json"))
    }
  }
}
