import Foundation
import TestSupport
import Testing

/// What SIGINT, SIGTERM and SIGHUP do, wherever a command is. The suite's limit is the only clock.
@Suite(.ownThread, .timeLimit(.minutes(5))) struct SignalTests {
  private let bundle = ["--bundle", Run.bundle]

  /// A program that has said or written something, so that its handlers are in place.
  private struct Started {
    let process = Process()
    let stdin = Pipe()
    let stdout = Pipe()
    let stderr = Pipe()

    init(_ arguments: [String], input: String) throws {
      process.executableURL = Run.program
      process.arguments = arguments
      (process.standardInput, process.standardOutput, process.standardError) =
        (stdin, stdout, stderr)
      try process.run()
      stdin.fileHandleForWriting.write(Data(input.utf8))
    }

    func end(by signal: Int32) -> (status: Int32, errors: String) {
      kill(process.processIdentifier, signal)
      process.waitUntilExit()
      let errors = stderr.fileHandleForReading.availableData
      return (process.terminationStatus, String(decoding: errors, as: UTF8.self))
    }
  }

  @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
  func `A silent standard input is left with 130 and whole lines`(signal: Int32) throws {
    let started = try Started(["extract", "--quiet"] + bundle, input: "一二\n")
    let first = started.stdout.fileHandleForReading.availableData
    let end = started.end(by: signal)
    #expect(end.status == 130)
    #expect(end.errors.contains("interrupted"), "\(end.errors)")
    #expect(first.last == 0x0A)
  }

  @Test func `A pipe that nobody reads does not hold the program`() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).txt")
    try Data(String(repeating: "一二三四五\n", count: 5_000).utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let started = try Started(["extract", "--quiet", file.path] + bundle, input: "")
    // The first bytes are there, the others fill the pipe.
    var request = pollfd(
      fd: started.stdout.fileHandleForReading.fileDescriptor, events: Int16(POLLIN), revents: 0)
    #expect(poll(&request, 1, -1) == 1)
    #expect(started.end(by: SIGTERM).status == 130)
  }

  @Test func `A FIFO that nobody opens for writing does not hold the program`() throws {
    let fifo = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
    #expect(mkfifo(fifo, 0o600) == 0)
    defer { unlink(fifo) }
    let started = try Started(["extract", fifo] + bundle, input: "")
    try waitUntilHandled(started.process.processIdentifier, SIGTERM)
    // The first may come between ignoring and handling; a second one ends it at once.
    while started.process.isRunning {
      kill(started.process.processIdentifier, SIGTERM)
      usleep(200_000)
    }
    #expect(started.process.terminationStatus == 130)
  }

  @Test func `nohup keeps a program from SIGHUP`() throws {
    let script = "trap '' HUP; exec \(Run.program.path) extract --quiet --bundle \(Run.bundle)"
    let process = Process()
    let (stdin, stdout) = (Pipe(), Pipe())
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = ["-c", script]
    (process.standardInput, process.standardOutput) = (stdin, stdout)
    try process.run()
    stdin.fileHandleForWriting.write(Data("一二\n".utf8))
    _ = stdout.fileHandleForReading.availableData
    kill(process.processIdentifier, SIGHUP)
    stdin.fileHandleForWriting.write(Data("三四\n".utf8))
    try stdin.fileHandleForWriting.close()
    let rest = stdout.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(String(decoding: rest, as: UTF8.self).contains("三四"))
  }

  @Test(arguments: [">/dev/full 2>/dev/full", "2>&-", "2>/dev/full"])
  func `Bug: a standard error that is full or closed ended a finished run with a crash`(
    redirection: String
  ) throws {
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
    defer { unlink(file) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = [
      "-c",
      "\(Run.program.path) extract --bundle \(Run.bundle) --text 一二 --output \(file) \(redirection)",
    ]
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(try String(contentsOfFile: file, encoding: .utf8).contains("一二"))
  }

  /// Waits until the program catches or ignores a signal, as the kernel tells it.
  private func waitUntilHandled(_ process: Int32, _ signal: Int32) throws {
    while true {
      let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
      let masks = status.split(separator: "\n").filter {
        $0.hasPrefix("SigIgn") || $0.hasPrefix("SigCgt")
      }
      let handled = masks.compactMap { UInt64($0.split(separator: "\t").last ?? "", radix: 16) }
      if handled.contains(where: { $0 >> UInt64(signal - 1) & 1 == 1 }) { return }
      usleep(1_000)
    }
  }
}
