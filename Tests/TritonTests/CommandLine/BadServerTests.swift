import Foundation
import Testing

/// One clear sentence and the documented exit code for everything that can stand in the way.
@Suite(.timeLimit(.minutes(3))) struct BadServerTests {
  /// `spo extract` of one sentence; the last words choose server and connection.
  private func extract(
    _ words: [String], _ environment: [String: String] = [:]
  ) async throws -> Command {
    let extract = ["extract", "--quiet", "--text", "《离开》是由张宇谱曲，演唱", "--attempts", "1"]
    return try await Command.spo(
      extract + ["--bundle", Project.demo.path, "--timeout", "5"] + words, environment)
  }

  private func expect(
    _ run: Command, _ status: Int32, saying text: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(run.status == status, "\(run.errors)", sourceLocation: sourceLocation)
    #expect(run.errors.contains(text), "\(run.errors)", sourceLocation: sourceLocation)
    let lines = run.errors.split(separator: "\n")
    #expect(lines.count == 1, "\(run.errors)", sourceLocation: sourceLocation)
    #expect(run.output.isEmpty, sourceLocation: sourceLocation)
  }

  @Test func `No server`() async throws {
    let nobody = try SilentListener(listens: false)
    expect(try await extract(["--server", nobody.address]), 3, saying: "Connection refused")
  }

  @Test func `The HTTP port`() async throws {
    let server = try await Servers.get(.main)
    expect(
      try await extract(["--server", "localhost:\(server.http)"]), 3, saying: "gRPC port is 8001")
  }

  @Test func `A server that never answers`() async throws {
    let silent = try SilentListener(listens: true)
    let run = try await extract(["--server", silent.address, "--timeout", "1"])
    #expect(run.status == 3 && run.errors.contains(silent.address), "\(run.errors)")
  }

  @Test func `TLS to plaintext and plaintext to TLS`() async throws {
    let plain = try await Servers.get(.main)
    let ca = ["--tls-ca", Certificates.path("ca.pem")]
    expect(try await extract(["--server", plain.address] + ca), 42, saying: "speaks TLS")
    let secured = try await Servers.get(.tls)
    expect(
      try await extract(["--server", secured.address]), 3, saying: "a TLS server needs TLS here")
  }

  @Test func `Another authority, and an expired certificate`() async throws {
    let server = try await Servers.get(.tls)
    let other = ["--tls-ca", Certificates.path("other-ca.pem")]
    expect(try await extract(["--server", server.address] + other), 42, saying: "its authority")
    let expired = try await Servers.get(.expired)
    let ca = ["--tls-ca", Certificates.path("ca.pem")]
    expect(try await extract(["--server", expired.address] + ca), 42, saying: "its dates")
  }

  @Test func `A restricted protocol without its header`() async throws {
    let server = try await Servers.get(.fullyRestricted)
    expect(
      try await extract(["--server", server.address]), 42, saying: "triton-grpc-protocol-admin-key")
    let header = ["--header", "triton-grpc-protocol-admin-key=secret"]
    // With it the model is looked for, and not found.
    expect(try await extract(["--server", server.address] + header), 42, saying: "spo_onnx")
  }

  @Test func `An unknown model, one that is not ready, one that does not fit`() async throws {
    let server = ["--server", try await Servers.get(.main).address, "--model"]
    expect(try await extract(server + ["nobody"]), 42, saying: "nobody")
    expect(
      try await extract(server + ["failing"]), 3, saying: "load the model, or see why it failed")
    expect(try await extract(server + ["spo_misfit"]), 42, saying: "does not fit")
  }

  @Test func `A schema of another size than the model's`() async throws {
    let server = ["--server", try await Servers.get(.main).address, "--model", "spo_semantic"]
    expect(try await extract(server), 42, saying: "3 predicates, the schema has")
  }

  @Test func `A proxy in the environment is not used for this machine`() async throws {
    let server = ["--server", try await Servers.get(.main).address, "--model", "spo_misfit"]
    let proxy = ["http_proxy": "http://127.0.0.1:9", "grpc_proxy": "http://127.0.0.1:9"]
    expect(try await extract(server, proxy), 42, saying: "does not fit")
  }
}
