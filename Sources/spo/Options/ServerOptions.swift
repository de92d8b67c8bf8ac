internal import ArgumentParser
internal import Foundation
internal import GRPCChannel
internal import Triton

/// How a Triton server is reached.
struct ServerOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("PEM file of the authorities to trust; speaks TLS.", valueName: "file"))
  var tlsCa: String?

  @Option(
    help: ArgumentHelp(
      "PEM file of this client's certificate chain (mutual TLS).", valueName: "file"))
  var tlsCert: String?

  @Option(help: ArgumentHelp("PEM file of its private key.", valueName: "file"))
  var tlsKey: String?

  @Option(
    help: ArgumentHelp("Name to expect in the server's certificate.", valueName: "name"))
  var tlsName: String?

  @Flag(help: "Speak TLS and trust the public authorities.")
  var tls = false

  @Option(
    help: ArgumentHelp(
      "Header of every call, such as authorization=… or triton-grpc-protocol-KEY=VALUE.",
      valueName: "name=value"))
  var header: [String] = []

  @Option(help: ArgumentHelp("Longest time of one call, retries included.", valueName: "seconds"))
  var timeout: Double = 60

  @Option(help: ArgumentHelp("Attempts of one call.", valueName: "n"))
  var attempts = 4

  func validate() throws {
    guard timeout > 0, timeout <= 86_400 else {
      throw ValidationError("--timeout is \(timeout), expected more than 0 and at most 86400 s")
    }
    guard (1...100).contains(attempts) else {
      throw ValidationError("--attempts is \(attempts), expected 1...100")
    }
    guard (tlsCert == nil) == (tlsKey == nil) else {
      throw ValidationError("--tls-cert and --tls-key belong together")
    }
    for header in header where !header.dropFirst().contains("=") {
      throw ValidationError("--header is \"\(header)\", expected NAME=VALUE")
    }
  }

  var speaksTLS: Bool { tls || tlsCa != nil || tlsCert != nil || tlsName != nil }

  func client(_ server: String) throws -> TritonClient {
    var configuration = TritonClient.Configuration()
    if speaksTLS { configuration.channel.tls = try tlsConfiguration() }
    if server.contains(",") || server.hasPrefix("dns:") {
      configuration.channel.loadBalancing = .roundRobin
    }
    configuration.timeout = .milliseconds(Int64(timeout * 1_000))
    configuration.retry.attempts = attempts
    for header in header {
      let halves = header.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      configuration.metadata.append(String(halves[0]), String(halves[1]))
    }
    if let fault = configuration.metadata.fault { throw ValidationError("--header: \(fault)") }
    return try TritonClient(server, configuration: configuration)
  }

  private func tlsConfiguration() throws -> TLSConfiguration {
    var identity: TLSConfiguration.Identity?
    if let tlsCert, let tlsKey {
      identity = .init(certificateChain: try pem(tlsCert), privateKey: try pem(tlsKey))
    }
    return TLSConfiguration(
      rootCertificates: try tlsCa.map(pem), identity: identity, serverName: tlsName)
  }

  private func pem(_ path: String) throws -> String {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw ValidationError("\(path) cannot be read as text")
    }
    guard text.contains("-----BEGIN ") else {
      throw ValidationError("\(path) is no PEM file: it has no -----BEGIN line")
    }
    return text
  }
}
