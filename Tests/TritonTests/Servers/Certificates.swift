import Foundation
import GRPCChannel

/// Certificates of the tests, made once by `Scripts/serving/certificates`.
enum Certificates {
  private static let folder = Project.root.appending(path: ".build/tests/certificates")

  static func path(_ name: String) -> String { folder.appending(path: name).path }

  static func read(_ name: String) throws -> String {
    try String(contentsOfFile: path(name), encoding: .utf8)
  }

  static func make() async throws { try await made.value }

  private static let made = Task {
    // The last one that the script makes.
    if FileManager.default.fileExists(atPath: path("other-client.pem")) { return }
    let run = try await Command(Project.root.path + "/Scripts/serving/certificates", [folder.path])
    guard run.status == 0 else { throw Failed(reason: run.errors) }
  }

  private struct Failed: Error { let reason: String }

  /// TLS that trusts an authority and brings, where one is named, a client's certificate.
  static func tls(
    trusting authority: String? = "ca", client: String? = nil, serverName: String? = nil
  ) async throws -> TLSConfiguration {
    try await make()
    let identity = try client.map {
      try TLSConfiguration.Identity(
        certificateChain: read("\($0).pem"), privateKey: read("\($0).key"))
    }
    return TLSConfiguration(
      rootCertificates: try authority.map { try read("\($0).pem") }, identity: identity,
      serverName: serverName)
  }
}
