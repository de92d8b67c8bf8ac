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

    let process = Process()
    process.executableURL = root.appendingPathComponent("Scripts/serving/certificates")
    process.arguments = [folder.path]
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Fault(status: process.terminationStatus) }
    return folder
  }

  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
}
