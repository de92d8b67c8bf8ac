import Foundation
import GRPCChannel

/// Certificates made once for the whole run; see Scripts/serving/certificates.
enum Certificates {
  private static let folder = Result { try made() }

  /// The path of a file such as `server.pem`.
  static func path(_ name: String) throws -> String {
    try folder.get().appendingPathComponent(name).path
  }

  static func text(_ name: String) throws -> String {
    try String(contentsOfFile: path(name), encoding: .utf8)
  }

  static func identity(_ name: String) throws -> TLSConfiguration.Identity {
    TLSConfiguration.Identity(
      certificateChain: try text("\(name).pem"), privateKey: try text("\(name).key"))
  }

  struct Fault: Error { let status: Int32 }

  private static func made() throws -> URL {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("spo-certificates-\(UUID().uuidString)")

    let program = root.appendingPathComponent("Scripts/serving/certificates").path
    var words = [strdup(program), strdup(folder.path), nil]
    defer { for word in words { free(word) } }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    // Not by Foundation's Process: it waits for a socket that any other child may hold open.
    var (child, status): (pid_t, Int32) = (0, 0)
    guard posix_spawn(&child, program, &actions, nil, &words, environ) == 0,
      waitpid(child, &status, 0) == child, status == 0
    else { throw Fault(status: status) }
    return folder
  }

  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
}
