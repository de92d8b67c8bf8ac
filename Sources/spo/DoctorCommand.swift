internal import ArgumentParser
internal import Foundation
internal import GRPCChannel
internal import Inference
internal import RelationServing
internal import Triton

/// Checks everything between this program and a served model, and says what to do.
struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Check a server, its model and the way to them.",
    discussion: """
      Each line is ok, a note or a problem with what to do. Exits with 3 when the server cannot be \
      reached or is not ready, with 42 when something does not fit.

      EXAMPLE
        spo doctor --server localhost:8001 --model spo_onnx
      """)

  @OptionGroup var bundle: BundleOptions
  @OptionGroup var served: ServedModelOptions

  func run() async throws {
    let server = served.server ?? "localhost:8001"
    var examination = Examination()
    let target = try Target(server)
    checkProxy(target, &examination)
    let client = try served.answers.client(server)
    await examine(client, server, &examination)
    if client.serverCount > 1 { await checkCluster(server, &examination) }
    await client.close()
    try StandardOutput().write(examination.report.terminalSafe + "\n")
    if let code = examination.exitCode { throw ExitCode(code) }
  }

  private func examine(
    _ client: TritonClient, _ server: String, _ examination: inout Examination
  ) async {
    guard
      await examination.check(
        "reach", or: ExitStatus.unreachable,
        {
          let isLive = try await client.isLive(options: .init(timeout: .seconds(5), attempts: 1))
          return isLive ? "\(server) answers" : nil
        }, otherwise: "the server says that it is not live; see its log")
    else { return }
    examination.ok(
      "tls", served.answers.connection.speaksTLS ? "the connection is encrypted" : "plaintext")
    await examination.check("version") {
      let metadata = try await client.serverMetadata()
      return "\(metadata.name) \(metadata.version)"
    }
    await examination.check(
      "ready", or: ExitStatus.unreachable,
      {
        try await client.isReady() ? "the server takes inferences" : nil
      }, otherwise: "a model failed to load, or the server is starting; see spo server models")
    guard
      await examination.check(
        "model", or: ExitStatus.permanent,
        {
          try await client.isModelReady(served.model, version: served.modelVersion)
            ? "\(served.model) takes inferences" : nil
        }, otherwise: "\(served.model) is not ready; see spo server models for what is, and why")
    else { return }
    await checkContract(client, &examination)
  }

  private func checkContract(_ client: TritonClient, _ examination: inout Examination) async {
    var contract: ModelContract?
    await examination.check("contract") {
      let names = try served.answers.names
      contract = try await client.contract(
        of: served.model, version: served.modelVersion, names: names)
      return contract!.roles.map { "\($0.0) \($0.1.name) \($0.1.datatype)" }.joined(separator: ", ")
    }
    guard let contract else { return }
    var remote: TritonEngine?
    await examination.check("bundle") {
      let bundle = try bundle.load()
      remote = try await TritonEngine(
        client: client, model: served.model, bundle: bundle,
        configuration: try served.configuration())
      return "\(bundle.directory.path) fits the model"
    }
    guard let remote else { return }
    // A registration that the server took proves nothing: the plan has had it write.
    if let shared = remote.plan.options.first(where: { $0.route == .denseSharedMemory }) {
      if shared.contract == nil {
        examination.note("shm", shared.verdict)
      } else {
        examination.ok("shm", shared.verdict)
      }
    }
    for line in remote.plan.explanation.split(separator: "\n") {
      if line.hasPrefix("no ") {
        examination.note("plan", String(line))
      } else {
        examination.ok("plan", String(line))
      }
    }
    examination.ok("size", size(contract, remote.shape))
    await examination.check("inference") {
      let answers = try await remote.closing {
        try await $0.infer(InferenceBatch([[0, 0, 0]]), threshold: 0)
      }
      return "a trial sentence was answered (\(answers.count))"
    }
  }

  private func size(_ contract: ModelContract, _ shape: ModelShape) -> String {
    let (tokens, predicates) = (shape.maximumTokens, shape.predicateCount)
    let bytes = contract.answerBytes(tokens: tokens, predicates: predicates)
    let rows = contract.rows(
      tokens: tokens, predicates: predicates, within: served.answers.answerMemory << 20)
    return "\(bytes >> 20) MiB an answer at \(tokens) tokens and \(predicates) predicates: "
      + "\(rows) row(s) a request within \(served.answers.answerMemory) MiB"
  }

  /// Whether the servers of a list serve the same: a request may go to any of them.
  private func checkCluster(_ servers: String, _ examination: inout Examination) async {
    await examination.check("cluster") {
      var models: [(server: String, ready: Set<String>)] = []
      // A list is ipv4:address,address or ipv6:…, however it was given.
      let list = try Target(servers).uri
      let scheme = list.prefix { $0 != ":" } + ":"
      for address in list.dropFirst(scheme.count).split(separator: ",").map({ scheme + $0 }) {
        let client = try served.answers.client(String(address))
        let index = try await client.repositoryIndex(onlyReady: true)
        await client.close()
        models.append(
          (
            String(address.dropFirst(scheme.count)),
            Set(index.map { "\($0.name) version \($0.version)" })
          ))
      }
      let all = models.reduce(into: Set<String>()) { $0.formUnion($1.ready) }
      let missing = models.filter { $0.ready != all }.map { server, ready in
        "\(server) lacks \(all.subtracting(ready).sorted().joined(separator: " and "))"
      }
      guard missing.isEmpty else {
        throw TritonError(
          code: .contract, message: "the servers differ: \(missing.joined(separator: "; "))",
          remedy: "serve the same models on all, or answers depend on who gives them")
      }
      return "\(models.count) servers serve the same \(all.count) models"
    }
  }

  private func checkProxy(_ target: Target, _ examination: inout Examination) {
    let environment = ProcessInfo.processInfo.environment
    let names = ["grpc_proxy", "https_proxy", "http_proxy"].filter { environment[$0] != nil }
    if let name = names.first, !target.isPrivate {
      examination.note(
        "proxy", "\(name) is set: calls go through it; name the host in no_proxy if they must not")
    } else if let name = names.first {
      examination.ok("proxy", "\(name) is set and not used for \(target)")
    } else {
      examination.ok("proxy", "none")
    }
  }
}

/// The findings so far.
private struct Examination {
  private var lines: [String] = []
  private(set) var exitCode: Int32?

  var report: String { lines.joined(separator: "\n") }

  mutating func ok(_ what: String, _ text: String) { add("ok", what, text) }
  mutating func note(_ what: String, _ text: String) { add("note", what, text) }

  /// Runs a check; a nil finding is a problem with the given advice, an error one with its own.
  @discardableResult
  mutating func check(
    _ what: String, or code: Int32 = ExitStatus.permanent,
    _ body: () async throws -> String?, otherwise advice: String = ""
  ) async -> Bool {
    do {
      if let found = try await body() {
        ok(what, found)
        return true
      }
      add("PROBLEM", what, advice)
      exitCode = exitCode ?? code
    } catch {
      add("PROBLEM", what, "\(error)")
      exitCode = exitCode ?? ExitStatus.of(error) ?? code
    }
    return false
  }

  private mutating func add(_ mark: String, _ what: String, _ text: String) {
    let pad = { (text: String, width: Int) in
      text.padding(toLength: width, withPad: " ", startingAt: 0)
    }
    lines.append("\(pad(mark, 8))\(pad(what, 10))\(text)")
  }
}
