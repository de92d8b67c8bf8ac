import GRPCChannel
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct TLSTests {
  private func server(_ name: String = "server", mutual: Bool = false) async throws -> EchoServer {
    let own = [try Certificates.path("\(name).pem"), try Certificates.path("\(name).key")]
    guard mutual else { return try await EchoServer("--tls", own[0], own[1]) }
    return try await EchoServer(
      "--tls", own[0], own[1], "--client-ca", try Certificates.path("ca.pem"))
  }

  private func ask(_ server: EchoServer, _ tls: TLSConfiguration?) async throws -> String {
    var configuration = ChannelConfiguration()
    configuration.tls = tls
    let channel = server.channel(configuration)
    let result: Result<String, any Error>
    do {
      result = .success(try await channel.ask("Echo", "secret", .timeout(.seconds(30))))
    } catch {
      result = .failure(error)
    }
    await channel.close()
    return try result.get()
  }

  private func trusting(_ authority: String = "ca") throws -> TLSConfiguration {
    TLSConfiguration(rootCertificates: try Certificates.text("\(authority).pem"))
  }

  @Test func `A server whose authority is trusted is spoken to`() async throws {
    #expect(try await ask(try await server(), try trusting()) == "secret")
  }

  @Test func `A server of an unknown authority is refused, and the reason is told`() async throws {
    let server = try await server()
    for tls in [try trusting("other-ca"), TLSConfiguration()] {
      let error = await rpcError { try await ask(server, tls) }
      #expect(error?.code == .unavailable)
      #expect(error?.debug.contains("Ssl handshake failed") == true, "\(error?.debug ?? "")")
    }
  }

  @Test func `An expired certificate is refused`() async throws {
    let server = try await server("expired")
    #expect(await rpcError { try await ask(server, try trusting()) }?.code == .unavailable)
  }

  @Test func `A certificate of another host passes only under the name that is expected`()
    async throws
  {
    let server = try await server("elsewhere")
    #expect(await rpcError { try await ask(server, try trusting()) }?.code == .unavailable)
    var tls = try trusting()
    tls.serverName = "elsewhere.invalid"
    #expect(try await ask(server, tls) == "secret")
  }

  @Test func `A server that asks for a certificate takes one of its authority only`() async throws {
    let server = try await server(mutual: true)
    var tls = try trusting()
    tls.identity = try Certificates.identity("client")
    #expect(try await ask(server, tls) == "secret")
    tls.identity = try Certificates.identity("other-client")
    #expect(await rpcError { try await ask(server, tls) }?.code == .unavailable)
    tls.identity = nil
    #expect(await rpcError { try await ask(server, tls) }?.code == .unavailable)
  }

  @Test func `Plaintext to a TLS server, and TLS to a plaintext one, fail as unavailable`()
    async throws
  {
    let secure = try await server()
    #expect(await rpcError { try await ask(secure, nil) }?.code == .unavailable)
    let plain = try await EchoServer()
    #expect(await rpcError { try await ask(plain, try trusting()) }?.code == .unavailable)
  }

  @Test func `PEM text that is none is an error of the call and no crash`() async throws {
    let server = try await server()
    let garbage = TLSConfiguration(rootCertificates: "no certificate at all")
    #expect(await rpcError { try await ask(server, garbage) } != nil)
    var broken = try trusting()
    broken.identity = TLSConfiguration.Identity(certificateChain: "none", privateKey: "none")
    #expect(await rpcError { try await ask(server, broken) } != nil)
  }
}
