import Foundation

/// Where the project and its built programs lie.
enum Project {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  static let spo = Bundle.main.bundleURL.deletingLastPathComponent().appending(path: "debug/spo")
  static let demo = root.appending(path: "model_repository/spo_onnx/1")
}

/// A program that has run to its end.
struct Command {
  let status: Int32
  /// The number that it had.
  let pid: pid_t
  let output: String
  let errors: String

  /// Its output goes to files: a server that it starts would hold a pipe open for ever.
  /// Nor is a thread of the tests' pool held while it runs: there may be only two.
  init(
    _ program: String, _ arguments: [String], _ environment: [String: String] = [:]
  ) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (output, errors) = (folder.appending(path: "output"), folder.appending(path: "errors"))
    for file in [output, errors] { try Data().write(to: file) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: errors)
    status = try await Self.run(process)
    pid = process.processIdentifier
    self.output = try String(contentsOf: output, encoding: .utf8)
    self.errors = try String(contentsOf: errors, encoding: .utf8)
  }

  private static func run(_ process: Process) async throws -> Int32 {
    try await withCheckedThrowingContinuation { continuation in
      process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
      do { try process.run() } catch { continuation.resume(throwing: error) }
    }
  }

  /// The built command line.
  static func spo(
    _ arguments: [String], _ environment: [String: String] = [:]
  ) async throws -> Command {
    try await Command(Project.spo.path, arguments, environment)
  }
}
