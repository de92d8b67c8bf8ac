import Foundation
import TestSupport
import Testing

@testable import DocumentIO

@Suite struct DiscoveryTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// Names below the temporary directory, and notices, `*` before those of failures.
  private func discover(_ inputs: String...) throws -> (files: [String], notices: [String]) {
    let found = try discoverInputs(inputs.map { scratch.name($0) })
    let root = scratch.directory.path + "/"
    return (
      found.files.map { $0.name.text.replacing(root, with: "") },
      found.notices.map {
        ($0.isFailure ? "* " : "- ") + $0.description.replacing(root, with: "")
      }
    )
  }

  private func link(_ name: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(
      atPath: scratch.path(name), withDestinationPath: target)
  }

  @Test("A directory gives the files whose endings are known, by their paths")
  func endings() throws {
    for name in ["b.txt", "a/z.CSV", "a.jsonl.gz", "c.Txt.ZST", "d.jl"] {
      try scratch.file("d/\(name)", [])
    }
    let found = try discover("d")
    #expect(found.files == ["d/a.jsonl.gz", "d/a/z.CSV", "d/b.txt", "d/c.Txt.ZST", "d/d.jl"])
    #expect(found.notices.isEmpty)
  }

  @Test("Bug: hidden files and those of Macs were read with the others")
  func hidden() throws {
    for name in ["n.txt", "._n.txt", ".ipynb_checkpoints/n.txt", "__MACOSX/n.txt", "s/.x.txt"] {
      try scratch.file("d/\(name)", [])
    }
    #expect(try discover("d").files == ["d/n.txt"])
    #expect(try discover("d/._n.txt").files == ["d/._n.txt"])
  }

  @Test("What is left out of a directory is told")
  func others() throws {
    for name in ["n.txt", "x.png", "y.log"] { try scratch.file("d/\(name)", []) }
    let notices = try discover("d").notices
    #expect(notices.count == 1)
    #expect(
      notices[0].hasPrefix("- d: 2 files with other endings") && notices[0].hasSuffix("d/x.png"))
    try scratch.file("e/x.png", [])
    #expect(try discover("e").notices[0].hasPrefix("* e holds no file ending in txt"))
    // A compression that is not read is a file that is not read.
    try scratch.file("f/x.txt.xz", [])
    #expect(try discover("f").files == ["f/x.txt.xz"])
  }

  @Test("Bug: one bad name in a directory ended the run")
  func badNames() throws {
    try scratch.file("d/a.txt", [])
    try scratch.file("d/x.txt/b.txt", [])
    try link("d/gone.txt", to: "nowhere")
    mkfifo(scratch.path("d/pipe.txt"), 0o600)
    let found = try discover("d")
    #expect(found.files == ["d/a.txt", "d/x.txt/b.txt"])
    #expect(
      found.notices == [
        "* d/gone.txt cannot be read: it is a link to nothing",
        "* d/pipe.txt is a named pipe, which is read only when it is named itself",
      ])
    #expect(try discover("d/gone.txt", "d/a.txt").files == ["d/a.txt"])
    #expect(try discover("d/pipe.txt").files == ["d/pipe.txt"])
  }

  @Test("Bug: directories behind links were left out; each is read once, also in a circle")
  func links() throws {
    try scratch.file("elsewhere/a.txt", [])
    try scratch.file("d/b.txt", [])
    try link("d/l", to: scratch.path("elsewhere"))
    try link("d/m", to: scratch.path("elsewhere"))
    try link("elsewhere/up", to: scratch.path("d"))
    let found = try discover("d")
    #expect(found.files == ["d/b.txt", "d/l/a.txt"])
    #expect(
      found.notices == [
        "- d/l/up is a directory that is read by another name",
        "- d/m is a directory that is read by another name",
      ])
  }

  @Test("Bug: a directory that may not be read was left out without a word")
  func unreadable() throws {
    try scratch.file("d/a.txt", [])
    try scratch.file("d/secret/b.txt", [])
    var system = SystemCalls.real
    let list = system.list
    system.list = { name throws(SystemError) in
      if name.text.hasSuffix("secret") { throw SystemError(EACCES) }
      return try list(name)
    }
    let found = try discoverInputs([scratch.name("d")], system: system)
    #expect(found.files.count == 1)
    #expect(found.notices.map(\.isFailure) == [true])
    #expect(found.notices[0].description.hasSuffix("secret cannot be read: Permission denied"))
    let own = try discoverInputs([scratch.name("d/secret")], system: system)
    #expect(own.files.isEmpty && own.notices.count == 1)
    let matched = try discoverInputs([scratch.name("d/secret/*.txt")], system: system)
    #expect(matched.notices.map(\.isFailure) == [true])
  }

  @Test("Names that are no UTF-8 are read, and shown with what their bytes are")
  func bytes() throws {
    let name = FileName(
      bytes: Array("\(scratch.path("d"))/".utf8) + [0xB9, 0xFA] + Array("国.txt".utf8))
    try scratch.file("d/a.txt", [])
    let file = try SystemCalls.real.open(name, O_CREAT | O_WRONLY, 0o600)
    try SystemCalls.real.close(file)
    #expect(try discover("d").files == ["d/a.txt", "d/\\xb9\\xfa国.txt"])
    #expect(try discoverInputs([name]).files.map(\.name) == [name])
    #expect(try items(name).isEmpty)
  }

  @Test("Patterns match names, and a name that is there is no pattern")
  func patterns() throws {
    for name in ["a.txt", "b.txt", "s[1]/c.txt", "s1/d.txt", "*.txt", ".h.txt"] {
      try scratch.file("d/\(name)", [])
    }
    #expect(try discover("d/?.txt").files == ["d/*.txt", "d/a.txt", "d/b.txt"])
    #expect(try discover("d/*.txt").files == ["d/*.txt"])
    #expect(try discover("d/s[1]/*").files == ["d/s[1]/c.txt"])
    #expect(try discover("d/s[12]/*").files == ["d/s1/d.txt"])
    #expect(throws: InputOutputError.self) { try discover("d/*.csv") }
    #expect(throws: InputOutputError.self) { try discover("nowhere.txt") }
  }

  @Test("Bug: a pattern that matches a directory ended the run in the middle")
  func patternOfDirectory() throws {
    for name in ["a.txt", "sub/b.txt", "sub/.c.txt"] { try scratch.file("d/\(name)", []) }
    #expect(try discover("d/*").files == ["d/a.txt", "d/sub/b.txt"])
  }

  @Test("A file that is gone when its turn comes is named")
  func vanished() throws {
    let name = try FileName(scratch.file("a.txt", "一\n".utf8))
    let found = try discoverInputs([name])
    try FileManager.default.removeItem(atPath: name.text)
    #expect(shown(try items(found.files[0].name))[0].contains("a.txt cannot be read: it is gone"))
  }
}
