import Digest
import Foundation
import GlobalPointer
import Inference
import Testing

@testable import EmbeddedEngine
@testable import RelationBundle

@Suite struct BundleFileTests {
  private static let names = ["config.json", "model.safetensors", "schema.json", "vocab.txt"]

  /// Writes into the file that is there, as `cp new old` does; `Data.write` makes another file.
  private func overwrite(_ file: URL, _ bytes: Data, truncating: Bool = true) throws {
    let handle = try FileHandle(forWritingTo: file)
    if truncating { try handle.truncate(atOffset: 0) }
    try handle.write(contentsOf: bytes)
    try handle.close()
  }

  private func expectSameAnswers(
    _ precision: Precision, after damage: (URL) throws -> Void
  ) async throws {
    let fixture = try Fixture("global")
    let copy = try fixture.copy()
    defer { try? FileManager.default.removeItem(at: copy) }
    var configuration = EmbeddedEngine.Configuration()
    configuration.precision = precision
    let engine = try EmbeddedEngine(
      bundle: ModelBundle(directory: copy), configuration: configuration)
    let batch = InferenceBatch(fixture.goldens.map(\.ids))
    let before = try await engine.infer(batch, threshold: 0)
    #expect(before.contains { !$0.triples.isEmpty })
    try damage(copy.appendingPathComponent("model.safetensors"))
    let after = try await engine.infer(batch, threshold: 0)
    #expect(before.map(\.triples) == after.map(\.triples))
  }

  @Test(arguments: EngineTests.supported)
  func `Bug: weights truncated under a running engine change nothing`(
    precision: Precision
  ) async throws {
    try await expectSameAnswers(precision) { try overwrite($0, Data()) }
  }

  @Test(arguments: EngineTests.supported)
  func `Bug: weights overwritten under a running engine change nothing`(
    precision: Precision
  ) async throws {
    try await expectSameAnswers(precision) {
      let count = try Data(contentsOf: $0).count
      try overwrite($0, Data(repeating: 0, count: count), truncating: false)
    }
  }

  @Test func `An engine tells the hashes of the four files as they were read`() throws {
    let fixture = try Fixture("global")
    let digests = try fixture.engine(.reference).digests()
    #expect(digests.map(\.file) == Self.names)
    for digest in digests {
      let hash = try SHA256()
      let data = try Data(contentsOf: fixture.directory.appendingPathComponent(digest.file))
      try data.withUnsafeBytes { try hash.update($0) }
      #expect(digest.sha256 == (try hash.finish()))
      #expect(digest.note == nil)
    }
  }

  @Test func `SHA-256 of the standard's example`() throws {
    let hash = try SHA256()
    for piece in ["a", "", "bc"] {
      try Data(piece.utf8).withUnsafeBytes { try hash.update($0) }
    }
    #expect(
      try hash.finish() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  }

  @Test func `Bug: a file that is replaced after it was read keeps its own hash`() throws {
    let copy = try Fixture("global").copy()
    defer { try? FileManager.default.removeItem(at: copy) }
    let engine = try EmbeddedEngine(bundle: ModelBundle(directory: copy))
    let before = try Fixture("global").engine(.reference).digests()
    for name in Self.names {
      try Data("another".utf8).write(to: copy.appendingPathComponent(name), options: .atomic)
    }
    #expect(engine.digests() == before)
  }

  @Test(arguments: names)
  func `Bug: a file that is overwritten after it was read has a note instead of a hash`(
    name: String
  ) throws {
    let copy = try Fixture("global").copy()
    defer { try? FileManager.default.removeItem(at: copy) }
    let engine = try EmbeddedEngine(bundle: ModelBundle(directory: copy))
    let file = copy.appendingPathComponent(name)
    try overwrite(file, Data(contentsOf: file), truncating: false)
    for digest in engine.digests() {
      #expect((digest.sha256 == nil) == (digest.file == name))
      #expect(
        (digest.note?.contains("changed after it was opened") ?? false) == (name == digest.file))
    }
  }

  @Test func `A file that grows shorter while it is read is named with the place`() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try Data(repeating: 7, count: 100).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let opened = try BundleFile(path: file.path)
    try overwrite(file, Data(repeating: 7, count: 40))
    #expect { try opened.bytes(0..<100) } throws: {
      "\($0)".contains("it ended after 40 of 100 bytes")
    }
  }

  @Test func `A file that is replaced between two ways of reading it is noticed`() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try Data("one".utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let opened = try BundleFile(path: file.path)
    try opened.requireInPlace()
    try Data("two".utf8).write(to: file, options: .atomic)
    try opened.requireUnchanged()
    #expect { try opened.requireInPlace() } throws: { "\($0)".contains("it was replaced") }
  }

  @Test(arguments: names)
  func `Bug: a Git LFS pointer is named as one, with what fetches the file`(name: String) {
    expectDamage(naming: [name, "Git LFS pointer", "git lfs pull"]) { directory in
      try Data("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n".utf8)
        .write(to: directory.appendingPathComponent(name))
    }
  }

  @Test(arguments: names)
  func `Bug: what is no readable file is named as what it is`(name: String) {
    expectDamage(naming: [name, "a directory"]) { directory in
      let file = directory.appendingPathComponent(name)
      try FileManager.default.removeItem(at: file)
      try FileManager.default.createDirectory(at: file, withIntermediateDirectories: false)
    }
    expectDamage(naming: [name, "a named pipe"]) { directory in
      let file = directory.appendingPathComponent(name)
      try FileManager.default.removeItem(at: file)
      #expect(mkfifo(file.path, 0o600) == 0)
    }
    for (target, words) in [
      (name, "in a circle"), ("/dev/null", "a device"), ("nowhere", "no such file"),
    ] {
      expectDamage(naming: [name, words]) { directory in
        let file = directory.appendingPathComponent(name)
        try FileManager.default.removeItem(at: file)
        try FileManager.default.createSymbolicLink(
          atPath: file.path, withDestinationPath: target)
      }
    }
  }

  @Test func `Too many open files and missing rights are told in words`() {
    #expect(Descriptor.reason(EMFILE).contains("ulimit -n"))
    #expect(Descriptor.reason(EACCES).contains("may not be read"))
    #expect(Descriptor.reason(EIO).contains("cannot be read: "))
  }

  @Test func `A config.json with a byte order mark is read`() throws {
    try loadDamaged { directory in
      let file = directory.appendingPathComponent("config.json")
      try (Data([0xEF, 0xBB, 0xBF]) + Data(contentsOf: file)).write(to: file)
    }
  }

  @Test func `Bug: a config.json in another encoding is named with what converts it`() {
    let kinds: [(String.Encoding, String)] = [
      (.utf16, "UTF-16"), (.utf16LittleEndian, "UTF-16LE"), (.utf16BigEndian, "UTF-16BE"),
      (.utf32, "UTF-32"), (.utf32LittleEndian, "UTF-32LE"), (.utf32BigEndian, "UTF-32BE"),
    ]
    for (encoding, name) in kinds {
      expectDamage(naming: ["config.json", "it is \(name), expected UTF-8", "iconv"]) { directory in
        let file = directory.appendingPathComponent("config.json")
        let text = try String(contentsOf: file, encoding: .utf8)
        try #require(text.data(using: encoding)).write(to: file)
      }
    }
  }

  @Test func `A config.json that is no JSON object is told with the place of the mistake`() {
    for (text, words) in [
      ("", "is not JSON"), ("{\"a\": ", "is not JSON"), ("[1]", "expected a JSON object"),
      ("7", "expected a JSON object"), ("{\"a\": \"\u{1}\"}", "is not JSON"),
    ] {
      expectDamage(naming: ["config.json", words]) {
        try Data(text.utf8).write(to: $0.appendingPathComponent("config.json"))
      }
    }
    expectDamage(naming: ["config.json", "0xFF"]) {
      try Data([0x7B, 0xFF, 0x7D]).write(to: $0.appendingPathComponent("config.json"))
    }
  }
}
