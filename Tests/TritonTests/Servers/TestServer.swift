import Foundation
import Triton

/// A real Triton server on this machine, as `Scripts/triton` started it.
struct TestServer: Sendable, Decodable {
  let name: String
  let pid: Int32
  let grpc: Int
  let http: Int

  var address: String { "localhost:\(grpc)" }

  /// A client of it; it goes with its last reference.
  func client(_ configuration: TritonClient.Configuration = .once) throws -> TritonClient {
    try TritonClient(address, configuration: configuration)
  }

  /// Ends it as a crash does.
  func kill() { Foundation.kill(pid, SIGKILL) }

  /// Whether it crashed: its process goes within seconds, or hangs there and is ended.
  func hasEnded() async -> Bool {
    for _ in 0..<20 {
      if Foundation.kill(pid, 0) != 0 { return true }
      try? await Task.sleep(for: .milliseconds(100))
    }
    let client = try? client()
    if (try? await client?.isLive(options: .init(timeout: .seconds(5), attempts: 1))) == true {
      return false
    }
    kill()
    return true
  }
}

/// What a server of the tests is started with.
struct ServerKind: Sendable, Hashable {
  var name: String
  var repository = "Tests/TritonTests/Models"
  /// Models of the repository; nil serves all of them.
  var models: [String]?
  /// More models, by their path in the project.
  var others: [String] = []
  var flags: [String] = []
  var grpcPort: Int?

  /// The project's own repository, exported from the demo bundle.
  static let production = ServerKind(name: "production", repository: "model_repository")
  /// Every model of the tests, which may be loaded and unloaded.
  static let main = ServerKind(
    name: "main", flags: ["--model-control-mode=explicit", "--load-model=*"])
  /// Dense models with ensembles that decode in the server, good ones and others.
  static let compact = ServerKind(
    name: "compact", models: ["spo_dense", "spo_semantic", "spo_nan", "spo_other"],
    others: ["model_repository/spo_decode"]
      + [
        "spo_decode_tiny", "spo_dense_compact", "spo_dense_tiny", "spo_nan_compact",
        "spo_dense_renamed", "spo_dense_wrong", "spo_dense_missing", "spo_native", "spo_stale",
      ].map { "Tests/TritonTests/Compact/\($0)" })
  /// One whose models are fixed, with TLS.
  static let tls = ServerKind(name: "tls", models: ["sum"], flags: tlsFlags("server"))
  /// One that asks for a client's certificate.
  static let mutualTLS = ServerKind(
    name: "mtls", models: ["sum"], flags: tlsFlags("server") + ["--grpc-use-ssl-mutual=1"])
  /// One whose certificate is of yesterday.
  static let expired = ServerKind(name: "expired", models: ["sum"], flags: tlsFlags("expired"))
  /// One that wants a header for inferences and for shared memory, and whose models are fixed.
  static let restricted = ServerKind(
    name: "restricted", models: ["sum"],
    flags: ["--grpc-restricted-protocol=inference,shared-memory:admin-key=secret"])

  /// One that wants its header for everything but liveness.
  static let fullyRestricted = ServerKind(
    name: "closed", models: ["sum"],
    flags: [
      "--grpc-restricted-protocol=inference,metadata,model-config,model-repository,statistics:"
        + "admin-key=secret"
    ])

  /// A server of its own for a test that kills it, or that loads it.
  static func own(_ name: String, _ models: [String]) -> ServerKind {
    ServerKind(name: name, models: models)
  }

  private static func tlsFlags(_ certificate: String) -> [String] {
    let file = { Certificates.path($0) }
    return [
      "--grpc-use-ssl=1", "--grpc-server-cert=\(file("\(certificate).pem"))",
      "--grpc-server-key=\(file("\(certificate).key"))", "--grpc-root-cert=\(file("ca.pem"))",
    ]
  }
}

/// The servers of this run: each is started when the first test asks for it, and stays.
/// `Scripts/test` stops them.
actor Servers {
  static let shared = Servers()
  private var started: [ServerKind: Task<TestServer, any Error>] = [:]

  static func get(_ kind: ServerKind) async throws -> TestServer {
    try await shared.server(kind).value
  }

  /// A client of the server with every model.
  static func main() async throws -> TritonClient { try await get(.main).client() }

  private func server(_ kind: ServerKind) -> Task<TestServer, any Error> {
    if let task = started[kind] { return task }
    let task = Task { try await Self.start(kind) }
    started[kind] = task
    return task
  }

  /// Starts a server unless it runs.
  static func start(_ kind: ServerKind) async throws -> TestServer {
    try await Certificates.make()
    var arguments = ["up", "--json", "--name", "test-\(kind.name)"]
    arguments += ["--repository", try repository(kind)]
    if let port = kind.grpcPort { arguments += ["--grpc-port", "\(port)"] }
    // A model that fails to load must not end a server: there is one that does so by design.
    let flags = [
      "--", "--exit-on-error=false", "--strict-readiness=false", "--exit-timeout-secs=1",
    ]
    let run = try await Command(
      Project.root.path + "/Scripts/triton", arguments + flags + kind.flags)
    guard run.status == 0 else { throw StartFailed(name: kind.name, reason: run.errors) }
    return try JSONDecoder().decode(TestServer.self, from: Data(run.output.utf8))
  }

  /// A model repository: links to the chosen models.
  private static func repository(_ kind: ServerKind) throws -> String {
    let models = Project.root.appending(path: kind.repository)
    guard let chosen = kind.models else { return models.path }
    let folder = Project.root.appending(path: ".build/tests/repositories/\(kind.name)")
    try? FileManager.default.removeItem(at: folder)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let others = kind.others.map { Project.root.appending(path: $0) }
    for model in chosen.map({ models.appending(path: $0) }) + others {
      try FileManager.default.createSymbolicLink(
        at: folder.appending(path: model.lastPathComponent), withDestinationURL: model)
    }
    return folder.path
  }

  private struct StartFailed: Error {
    let name: String
    let reason: String
  }
}
