import Foundation
import TestSupport
import Testing

@testable import DocumentIO

@Suite struct OutputTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func link(_ name: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(
      atPath: scratch.path(name), withDestinationPath: target)
  }

  @Test("A file gets its name, and its old permissions, when it is whole")
  func renamed() async throws {
    try scratch.file("out", "old".utf8)
    chmod(scratch.path("out"), 0o640)
    let file = try OutputFile(scratch.name("out"))
    try await file.append { $0 += Array("new\n".utf8) }
    #expect(try scratch.names() == ["out"])
    try await file.flush()
    #expect(try scratch.names() == ["out", "out.partial"])
    #expect(try scratch.text("out") == "old")
    try await file.finish()
    #expect(try scratch.names() == ["out"])
    #expect(try scratch.text("out") == "new\n")
    #expect(try SystemCalls.real.status(scratch.name("out"), true).mode == 0o640)
  }

  @Test("A run that ends early keeps what it wrote, and leaves the old file")
  func kept() async throws {
    try scratch.file("out", "old".utf8)
    let file = try OutputFile(scratch.name("out"))
    try await file.append { $0 += Array("one\n".utf8) }
    try await file.flush()
    try await file.append { $0 += Array("two\n".utf8) }
    #expect(file.keepPartial() == scratch.name("out.partial"))
    #expect(try scratch.text("out.partial") == "one\ntwo\n")
    #expect(try scratch.text("out") == "old")
  }

  @Test("A run that fails before it writes changes nothing")
  func untouched() async throws {
    try scratch.file("out", "old".utf8)
    try scratch.file("out.partial", "of an earlier run".utf8)
    let file = try OutputFile(scratch.name("out"))
    try await file.append { $0 += Array("header\n".utf8) }
    #expect(file.keepPartial() == nil)
    #expect(try scratch.text("out") == "old")
    #expect(try scratch.text("out.partial") == "of an earlier run")
  }

  @Test("A run that finds nothing writes an empty file")
  func empty() async throws {
    let file = try OutputFile(scratch.name("out"))
    try await file.finish()
    #expect(try scratch.bytes("out").isEmpty)
    #expect(try scratch.names() == ["out"])
  }

  @Test("Two runs do not write one file at a time")
  func locked() async throws {
    let (first, second) = (try OutputFile(scratch.name("out")), try OutputFile(scratch.name("out")))
    try await first.append { $0 += Array("first\n".utf8) }
    try await first.flush()
    try await second.append { $0 += Array("second\n".utf8) }
    await #expect { try await second.flush() } throws: {
      "\($0)".contains("another run is writing")
    }
    try await first.finish()
    #expect(try scratch.text("out") == "first\n")
  }

  @Test("Through a link the file is replaced that it leads to")
  func links() async throws {
    try scratch.file("data/real", "old".utf8)
    try link("link", to: "data/real")
    try OutputFile.write(Array("new".utf8), to: scratch.name("link"))
    #expect(try scratch.text("data/real") == "new")
    try link("dangling", to: "data/made")
    try OutputFile.write(Array("new".utf8), to: scratch.name("dangling"))
    #expect(try scratch.text("data/made") == "new")
    try link("circle", to: "circle")
    #expect(throws: InputOutputError.self) { try OutputFile(scratch.name("circle")) }
  }

  @Test(
    "What cannot be written is told before anything is",
    arguments: ["nowhere/out", "folder", "file/out"])
  func impossible(name: String) throws {
    try scratch.file("folder/x", [])
    try scratch.file("file", [])
    #expect { try OutputFile(scratch.name(name)) } throws: { error in
      (error as? InputOutputError)?.kind == .output && "\(error)".contains(name)
    }
  }

  @Test("A full disk leaves whole records, and is told")
  func fullDisk() async throws {
    var system = SystemCalls.real
    let write = system.write
    system.write = { descriptor, buffer throws(SystemError) in
      guard buffer.count > 3 else { throw SystemError(ENOSPC) }
      return try write(
        descriptor, UnsafeRawBufferPointer(rebasing: buffer.prefix(buffer.count / 2)))
    }
    let file = try OutputFile(scratch.name("out"), system: system)
    for _ in 0..<7 { try await file.append { $0 += Array("\"a\nb\",c\n".utf8) } }
    await #expect { try await file.flush() } throws: { "\($0)".contains("No space left") }
    _ = file.keepPartial()
    // 56 bytes, of which 53 were written: six records of eight.
    #expect(try scratch.text("out.partial") == String(repeating: "\"a\nb\",c\n", count: 6))
  }

  @Test("Devices take what is written, and say when they cannot")
  func devices() async throws {
    try OutputFile.write([1], to: FileName("/dev/null"))
    #expect { try OutputFile.write([1], to: FileName("/dev/full")) } throws: {
      "\($0)".contains("No space left")
    }
  }

  @Test("A pipe is written to as soon as somebody reads it, and may be full for a while")
  func pipes() async throws {
    mkfifo(scratch.path("pipe"), 0o600)
    let file = try OutputFile(scratch.name("pipe"))
    let reader = Process()
    reader.executableURL = URL(fileURLWithPath: "/usr/bin/wc")
    reader.arguments = ["-c", scratch.path("pipe")]
    let counted = Pipe()
    reader.standardOutput = counted
    try reader.run()
    try await file.append { $0 += [UInt8](repeating: 7, count: 300_000) }
    try await file.finish()
    let count = counted.fileHandleForReading.readDataToEndOfFile()
    #expect(String(decoding: count, as: UTF8.self).hasPrefix("300000 "))
  }

  @Test("Bug: waiting for whoever reads a pipe could not be cancelled", arguments: [false, true])
  func cancelledPipe(isOpened: Bool) async throws {
    mkfifo(scratch.path("pipe"), 0o600)
    // A reader that reads nothing fills the pipe; without one it cannot be opened.
    let reader = isOpened ? open(scratch.path("pipe"), O_RDONLY | O_NONBLOCK) : -1
    defer { if reader >= 0 { close(reader) } }
    let name = scratch.name("pipe")
    let task = Task {
      let file = try OutputFile(name)
      try await file.append { $0 += [UInt8](repeating: 7, count: 1 << 20) }
    }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }
}

@Suite struct PathCheckTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// The error of a check, with names as they were given; nil when all is well.
  private func conflict(_ inputs: [String], _ outputs: [String]) throws -> String? {
    var found = try discoverInputs(inputs.map { scratch.name($0) })
    let paths = outputs.enumerated().map { index, name in
      OutputPath("--o\(index)", name.hasPrefix("/") ? FileName(name) : scratch.name(name))
    }
    do throws(InputOutputError) {
      try checkPaths(&found, outputs: paths)
      return nil
    } catch {
      return error.description.replacing(scratch.directory.path + "/", with: "")
    }
  }

  @Test(
    "Bug: an output that is an input emptied it",
    arguments: ["in.txt", "link", "hard", "./d/../in.txt"])
  func inputs(output: String) throws {
    try scratch.file("in.txt", "一\n".utf8)
    try scratch.file("d/other.txt", "二\n".utf8)
    try FileManager.default.createSymbolicLink(
      atPath: scratch.path("link"), withDestinationPath: "in.txt")
    try FileManager.default.linkItem(atPath: scratch.path("in.txt"), toPath: scratch.path("hard"))
    for inputs in [["in.txt"], ["d/other.txt", "in.txt"], ["link"], ["hard"]] {
      let found = try conflict(inputs, ["new", output])
      #expect(
        found == "--o1 \(output) is the input \(inputs.last ?? ""); name another file to write to")
    }
    #expect(try scratch.text("in.txt") == "一\n")
  }

  @Test(
    "Bug: two outputs of one name overwrote each other",
    arguments: [
      ["out", "out"], ["out", "d/../out"], ["old", "link"], ["x", "out", "out"],
      ["out", "out.partial"],
    ])
  func outputs(names: [String]) throws {
    try scratch.file("in.txt", [])
    try scratch.file("d/x", [])
    try scratch.file("old", [])
    try FileManager.default.createSymbolicLink(
      atPath: scratch.path("link"), withDestinationPath: "old")
    #expect(try conflict(["in.txt"], names)?.hasSuffix("are the same file; name two") == true)
  }

  @Test("The file that is written meanwhile is no input, either")
  func partial() throws {
    try scratch.file("out.partial", "一\n".utf8)
    #expect(try conflict(["out.partial"], ["out"])?.contains("is the input out.partial") == true)
  }

  @Test("Devices, standard output and pipes may be several things")
  func shared() throws {
    try scratch.file("in.txt", [])
    mkfifo(scratch.path("pipe"), 0o600)
    #expect(try conflict(["in.txt"], ["/dev/null", "/dev/null"]) == nil)
    #expect(try conflict(["in.txt"], ["/dev/stdout", "/dev/stdout"]) == nil)
    #expect(try conflict(["pipe"], ["pipe"]) == nil)
  }

  @Test("Bug: an output in a directory that is read was read back")
  func readBack() throws {
    try scratch.file("d/a.txt", "一\n".utf8)
    try scratch.file("d/z.jsonl", "old".utf8)
    for input in ["d", "d/*"] {
      var found = try discoverInputs([scratch.name(input)])
      try checkPaths(&found, outputs: [OutputPath("--output", scratch.name("d/z.jsonl"))])
      #expect(found.files.map(\.name) == [scratch.name("d/a.txt")])
      #expect(found.notices.count == 1 && found.notices[0].description.contains("is not read"))
    }
    #expect(try conflict(["d/z.jsonl", "d"], ["d/z.jsonl"]) != nil)
  }

  @Test("A path that cannot be written is told while all others are as they were")
  func impossible() throws {
    try scratch.file("in.txt", [])
    try scratch.file("keep", "kept".utf8)
    #expect(
      try conflict(["in.txt"], ["keep", "nowhere/x"])?.contains("cannot create nowhere/x") == true)
    #expect(try scratch.text("keep") == "kept")
  }
}
