import Foundation
import TestSupport
import Testing

/// Runs to a file: stopped and gone on with, cut into shards and put together.
@Suite(.ownThread, .timeLimit(.minutes(5))) struct BatchTests {
  private let scratch: Scratch
  private let bundle = ["--bundle", Run.bundle, "--quiet"]

  init() throws {
    scratch = try Scratch()
    // Of every tenth line nothing can be read.
    let lines = (0..<200).map { $0 % 10 == 7 ? "" : "一二三\($0)" }
    try scratch.file("in.txt", lines.map { "\($0)\n" }.joined().utf8)
    try scratch.file("more.csv", "id,text\n1,\"四\n五\"\n2,六\n".utf8)
  }

  private func extract(_ arguments: String...) throws -> Run {
    try Run(["extract"] + inputs + bundle + arguments)
  }

  private var inputs: [String] { [scratch.path("in.txt"), scratch.path("more.csv")] }

  private func unpacked(_ name: String) throws -> [UInt8] {
    let program = name.hasSuffix(".zst") ? "zstd" : "gzip"
    return try scratch.filtered(program, ["-dc"], try scratch.bytes(name))
  }

  @Test(arguments: ["", ".gz", ".zst"])
  func `Shards put together are one run, in every compression`(ending: String) throws {
    #expect(try extract("--output", scratch.path("whole.jsonl")).status == 1)
    let shards = (0..<3).map { scratch.path("part-\($0).jsonl\(ending)") }
    for (index, shard) in shards.enumerated() {
      #expect(try extract("--shard", "\(index)/3", "--output", shard).status <= 1)
    }
    let merged = scratch.path("merged.jsonl\(ending)")
    let merge = try Run(["merge"] + shards.reversed() + ["--output", merged])
    #expect(merge.status == 0)
    #expect(merge.errors.contains("202 documents"), "\(merge.errors)")
    let whole = try scratch.bytes("whole.jsonl")
    let name = "merged.jsonl\(ending)"
    #expect(try ending.isEmpty ? scratch.bytes(name) == whole : unpacked(name) == whole)
    #expect(try Run(["merge"] + shards + ["--check"]).status == 0)
  }

  @Test func `A merge refuses shards that are missing, changed, twice there or of another run`()
    throws
  {
    let shards = (0..<2).map { scratch.path("part-\($0).jsonl") }
    for (index, shard) in shards.enumerated() {
      _ = try extract("--shard", "\(index)/2", "--output", shard)
    }
    let missing = try Run(["merge", shards[0], "--check"])
    #expect(missing.status == 2 && missing.errors.contains("1 are missing: 1"))
    let twice = try Run(["merge", shards[0], shards[0], shards[1], "--check"])
    #expect(twice.status == 2 && twice.errors.contains("twice"), "\(twice.errors)")
    let other = scratch.path("other.jsonl")
    _ = try extract("--shard", "1/2", "--threshold", "-1", "--output", other)
    let mixed = try Run(["merge", shards[0], other, "--check"])
    #expect(mixed.status == 2 && mixed.errors.contains("--threshold was"), "\(mixed.errors)")
    var bytes = try scratch.bytes("part-1.jsonl")
    bytes[bytes.count / 2] ^= 1
    try scratch.file("part-1.jsonl", bytes)
    let changed = try Run(["merge"] + shards + ["--output", scratch.path("merged.jsonl")])
    #expect(changed.status == 2 && changed.errors.contains("SHA-256"), "\(changed.errors)")
    #expect(!FileManager.default.fileExists(atPath: scratch.path("merged.jsonl")))
    #expect(!FileManager.default.fileExists(atPath: scratch.path("merged.jsonl.partial")))
  }

  @Test func `A run that was stopped goes on, and one that is done is not made again`() throws {
    let output = scratch.path("out.jsonl")
    let rejects = ["--rejects", scratch.path("bad.jsonl")]
    // The limit stops it in the middle, as anything else might.
    let stopped = try Run(
      ["extract"] + inputs + bundle + rejects + ["--output", output, "--max-rejects", "9"])
    #expect(stopped.status == 2)
    #expect(stopped.errors.contains("98 documents are kept"), "\(stopped.errors)")
    let refused = try Run(["extract"] + inputs + bundle + rejects + ["--output", output])
    #expect(refused.status == 2 && refused.errors.contains("--resume"))
    let resumed = try Run(
      ["extract"] + inputs + bundle + rejects + ["--output", output, "--resume", "--rejected-ok"])
    #expect(resumed.status == 0, "\(resumed.errors)")
    let made = try scratch.bytes("bad.jsonl")
    #expect(
      try extract("--output", scratch.path("whole.jsonl"), "--rejects", scratch.path("b")).status
        == 1)
    #expect(try scratch.bytes("out.jsonl") == scratch.bytes("whole.jsonl"))
    #expect(try made == scratch.bytes("b"))
    let finished = ["extract"] + inputs + rejects + ["--output", output, "--resume"]
    let again = try Run(finished + ["--bundle", Run.bundle])
    #expect(again.status == 1 && again.errors.contains("is finished: 202 documents"))
    let quiet = try Run(finished + bundle)
    #expect(quiet.status == 1 && quiet.errors.isEmpty, "\(quiet.errors)")
  }

  @Test func `A changed input is named, and --restart begins anew`() throws {
    let output = scratch.path("out.jsonl")
    #expect(try extract("--output", output, "--max-rejects", "3").status == 2)
    try scratch.file("in.txt", "一\n".utf8)
    let refused = try extract("--output", output, "--resume")
    #expect(refused.status == 2 && refused.errors.contains("in.txt had"), "\(refused.errors)")
    #expect(try extract("--output", output, "--restart").status == 0)
    #expect(try scratch.text("out.jsonl").split(separator: "\n").count == 3)
  }

  @Test func `Standard input and standard output cannot be resumed, and it is said`() throws {
    let output = scratch.path("out.jsonl")
    let piped = try Run(["extract", "-", "--output", output, "--resume"] + bundle, input: "一\n")
    #expect(piped.status == 2 && piped.errors.contains("standard input cannot be resumed"))
    #expect(try extract("--resume").status == 2)
    let plain = try Run(["extract", "-", "--output", output] + bundle, input: "一\n")
    #expect(plain.status == 0)
    #expect(try scratch.names().filter { $0.hasPrefix("out") } == ["out.jsonl"])
  }

  @Test func `Outputs that are no files have nothing beside them and cannot be resumed`() throws {
    #expect(try extract("--output", "/dev/null").status == 1)
    #expect(!FileManager.default.fileExists(atPath: "/dev/null.manifest.json"))
    let output = scratch.path("out.jsonl")
    let rejects = try extract("--output", output, "--rejects", "/dev/null", "--resume")
    #expect(rejects.status == 2 && rejects.errors.contains("--rejects /dev/null is no file"))
    let plain = try extract("--output", output, "--rejects", "/dev/null")
    #expect(plain.status == 1)
    #expect(try scratch.names().filter { $0.hasPrefix("out") } == ["out.jsonl"])
  }

  @Test func `What lies beside an output is neither an input nor taken for a journal`() throws {
    let output = scratch.path("out.jsonl")
    let diary = try scratch.file("out.jsonl.journal", "my diary\n".utf8)
    let input = try Run(["extract", diary, "--output", output] + bundle)
    #expect(input.status == 2 && input.errors.contains("out.jsonl.journal is the input"))
    for start in [[], ["--resume"], ["--restart"]] {
      let run = try Run(["extract"] + inputs + bundle + ["--output", output] + start)
      #expect(run.status == 2 && run.errors.contains("is no journal of a run"), "\(run.errors)")
    }
    #expect(try scratch.text("out.jsonl.journal") == "my diary\n")
  }

  @Test(arguments: ["3/3", "0/0", "a/b", "1", "1/2/3"])
  func `A shard that is none is refused`(shard: String) throws {
    let run = try extract("--shard", shard)
    #expect(run.status == 2 && run.errors.contains("--shard is \(shard)"), "\(run.errors)")
  }

  @Test func `The manifest of an earlier run is no input of the next`() throws {
    let output = scratch.path("out.jsonl")
    let run = ["extract", scratch.directory.path, "--output", output] + bundle
    #expect(try Run(run).status == 1)
    let first = try scratch.bytes("out.jsonl")
    let again = try Run(run)
    #expect(again.status == 1 && again.errors.contains("manifest"), "\(again.errors)")
    #expect(try scratch.bytes("out.jsonl") == first)
  }
}
