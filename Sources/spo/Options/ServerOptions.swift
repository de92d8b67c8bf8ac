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
      "Header of every call, such as triton-grpc-protocol-KEY=VALUE.",
      discussion:
        "Others of this machine can read it: secrets belong in a file or in $SPO_HEADERS.",
      valueName: "name=value"))
  var header: [String] = []

  @Option(
    help: ArgumentHelp(
      "File with a header a line, NAME=VALUE or NAME: VALUE; # begins a comment.",
      discussion: "$SPO_HEADERS, where it is set, holds such lines too.", valueName: "file"))
  var headerFile: [String] = []

  @Option(
    help: ArgumentHelp(
      "Longest time that a server is given for one call, retries included.", valueName: "seconds"))
  var timeout: Double = 60

  @Option(
    help: ArgumentHelp(
      "How long a call waits, beyond that, for a server that was there and is away.",
      valueName: "seconds"))
  var patience: Double = 120

  @Option(help: ArgumentHelp("Attempts of one call that a server refuses.", valueName: "n"))
  var attempts = 4

  func validate() throws {
    guard timeout > 0, timeout <= 86_400 else {
      throw ValidationError("--timeout is \(timeout), expected more than 0 and at most 86400 s")
    }
    guard patience >= 0, patience <= 86_400 else {
      throw ValidationError("--patience is \(patience), expected 0 to 86400 s")
    }
    guard (1...100).contains(attempts) else {
      throw ValidationError("--attempts is \(attempts), expected 1...100")
    }
    guard (tlsCert == nil) == (tlsKey == nil) else {
      throw ValidationError("--tls-cert and --tls-key belong together")
    }
    _ = try HeaderLines(header, from: "--header")
  }

  var patienceDuration: Duration { .milliseconds(Int64(patience * 1_000)) }

  var speaksTLS: Bool { tls || tlsCa != nil || tlsCert != nil || tlsName != nil }

  /// - Parameter answerBytes: the longest answer that will be asked for.
  func client(_ server: String, answerBytes: Int = 0) throws -> TritonClient {
    var configuration = TritonClient.Configuration()
    if speaksTLS { configuration.channel.tls = try tlsConfiguration() }
    if server.contains(",") || server.hasPrefix("dns:") {
      configuration.channel.loadBalancing = .roundRobin
    }
    // A message holds little beside its tensors.
    configuration.channel.maximumReceivedMessageBytes = max(
      configuration.channel.maximumReceivedMessageBytes, answerBytes + 16 << 20)
    configuration.timeout = .milliseconds(Int64(timeout * 1_000))
    configuration.retry.attempts = attempts
    configuration.retry.patience = patienceDuration
    configuration.metadata = try metadata()
    configuration.logger = TerminalLog.logger("triton")
    return try TritonClient(server, configuration: configuration)
  }

  /// The headers of all places; what is given on the command line comes last.
  private func metadata() throws -> Metadata {
    var all = Metadata()
    if let text = ProcessInfo.processInfo.environment["SPO_HEADERS"] {
      try HeaderLines(text: text, from: "$SPO_HEADERS").add(to: &all)
    }
    for path in headerFile {
      guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
        throw ValidationError("--header-file: \(path) cannot be read as text")
      }
      try HeaderLines(text: text, from: path).add(to: &all)
    }
    try HeaderLines(header, from: "--header").add(to: &all)
    return all
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
    guard !text.utf8.contains(0), text.contains("-----BEGIN ") else {
      throw ValidationError("\(path) is no PEM file: it has no -----BEGIN line")
    }
    return text
  }
}
