import Foundation

@testable import DocumentIO

/// A temporary directory for one test.
final class Scratch {
  let directory: URL

  init() throws {
    directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: directory) }

  func path(_ name: String) -> String { directory.appendingPathComponent(name).path }
  func name(_ name: String) -> FileName { FileName(path(name)) }

  @discardableResult
  func file(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
    let url = directory.appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
    return url.path
  }

  func bytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: directory.appendingPathComponent(name)))
  }

  func text(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }

  func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
  }

  /// What a program makes of standard input.
  func filtered(_ program: String, _ arguments: [String], _ input: [UInt8]) throws -> [UInt8] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    let source = try file(UUID().uuidString, input)
    let output = path(UUID().uuidString)
    _ = FileManager.default.createFile(atPath: output, contents: nil)
    process.standardInput = FileHandle(forReadingAtPath: source)
    process.standardOutput = FileHandle(forWritingAtPath: output)
    try process.run()
    process.waitUntilExit()
    defer {
      try? FileManager.default.removeItem(atPath: source)
      try? FileManager.default.removeItem(atPath: output)
    }
    return Array(try Data(contentsOf: URL(fileURLWithPath: output)))
  }
}

/// Every item of a file, or of a part of it.
func items(
  _ name: FileName, _ options: RecordReader.Options = .init(),
  extent: RecordReader.Extent = .whole, system: SystemCalls = .real
) throws -> [InputItem] {
  let reader = RecordReader(
    InputPart(InputFile(name), extent: extent), options: options, system: system,
    cancellation: Cancellation())
  var found: [InputItem] = []
  while let item = try reader.next() { found.append(item) }
  return found
}

/// Items as short lines: a text as it is, `!` before a reject's reason, `*` before a notice.
func shown(_ items: [InputItem]) -> [String] {
  items.map { item in
    switch item {
    case .record(let record): record.text
    case .reject(let reject): "! \(reject.reason)"
    case .notice(let notice): "\(notice.isFailure ? "*" : "-") \(notice)"
    }
  }
}

/// A buffer that is filled by pieces, as a file or pipe gives them.
struct Pieces {
  var pieces: ArraySlice<[UInt8]>
  var input = InputBuffer()

  init(_ pieces: [[UInt8]]) { self.pieces = pieces[...] }

  /// Puts the next piece in; false after the last.
  mutating func feed() -> Bool {
    if input.isAtEnd { return false }
    if let piece = pieces.popFirst() { input.append(piece) } else { input.isAtEnd = true }
    return true
  }
}

/// All ways to cut bytes into pieces.
func cuts(_ bytes: [UInt8]) -> [[[UInt8]]] {
  guard bytes.count > 1 else { return [[bytes]] }
  return (0..<1 << (bytes.count - 1)).map { mask in
    var pieces: [[UInt8]] = [[bytes[0]]]
    for index in 1..<bytes.count {
      if mask >> (index - 1) & 1 == 1 { pieces.append([]) }
      pieces[pieces.count - 1].append(bytes[index])
    }
    return pieces
  }
}

/// All strings of these characters up to a length.
func strings(_ characters: String, upTo length: Int) -> [[UInt8]] {
  var all: [[UInt8]] = [[]]
  var last: [[UInt8]] = [[]]
  for _ in 0..<length {
    last = last.flatMap { start in characters.utf8.map { start + [$0] } }
    all += last
  }
  return all
}
