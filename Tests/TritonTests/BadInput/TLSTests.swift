import GRPCChannel
import Testing
import Triton

/// Certificates, good and bad, on both sides.
@Suite(.timeLimit(.minutes(3))) struct TLSTests {
  private func isLive(_ kind: ServerKind, _ tls: TLSConfiguration?) async throws -> Bool {
    var configuration = TritonClient.Configuration.once
    configuration.channel.tls = tls
    return try await Servers.get(kind).client(configuration).isLive()
  }

  @Test func `A trusted server is spoken to over TLS`() async throws {
    let live = try await isLive(.tls, try await Certificates.tls())
    #expect(live)
  }

  @Test func `Mutual TLS wants a certificate of the right authority`() async throws {
    let live = try await isLive(.mutualTLS, try await Certificates.tls(client: "client"))
    #expect(live)
    for client in [nil, "other-client"] {
      await #expect(throws: TritonError.self) {
        try await isLive(.mutualTLS, try await Certificates.tls(client: client))
      }
    }
  }

  @Test func `A server of another authority is refused`() async throws {
    await expectFailure(.authorization, saying: "check that the server speaks TLS") {
      _ = try await isLive(.tls, try await Certificates.tls(trusting: "other-ca"))
    }
  }

  @Test func `An expired certificate is refused`() async throws {
    await expectFailure(.authorization, saying: "dates") {
      _ = try await isLive(.expired, try await Certificates.tls())
    }
  }

  @Test func `Another name than the certificate's is refused`() async throws {
    await expectFailure(.authorization) {
      _ = try await isLive(.tls, try await Certificates.tls(serverName: "elsewhere.invalid"))
    }
  }

  @Test func `TLS to a plaintext server is told`() async throws {
    await expectFailure(.authorization, saying: "check that the server speaks TLS") {
      _ = try await isLive(.main, try await Certificates.tls())
    }
  }

  @Test func `Plaintext to a TLS server is told`() async throws {
    await expectFailure(.connection, saying: "a TLS server needs TLS here") {
      _ = try await isLive(.tls, nil)
    }
  }

  @Test func `A restricted protocol names its header and is served with it`() async throws {
    let inputs = ["A", "B"].map { InferInput($0, shape: [1, 1], [Int32(2)]) }
    let request = InferRequest("sum", inputs: inputs)
    let client = try await Servers.get(.restricted).client()
    await expectFailure(.authorization, saying: "triton-grpc-protocol-") {
      _ = try await client.infer(request)
    }
    let header: Metadata = ["triton-grpc-protocol-admin-key": "secret"]
    let once = try await client.infer(request, options: .init(metadata: header)).output("SUM")
    #expect(try once.array(of: Int32.self) == [4])
    var configuration = TritonClient.Configuration.once
    configuration.metadata = header
    let always = try await Servers.get(.restricted).client(configuration)
    let total = try await always.infer(request).output("SUM").array(of: Int32.self)
    #expect(total == [4])
  }
}
