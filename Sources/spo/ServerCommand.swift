internal import ArgumentParser
internal import Foundation
internal import Triton

/// What a Triton server says of itself and its models.
struct ServerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "server",
    abstract: "Ask a Triton server, or tell it to load and unload models.",
    discussion: """
      EXAMPLE
        spo server models --server localhost:8001
        spo server describe spo_onnx --server localhost:8001
        spo server stats spo_onnx --json
      """,
    subcommands: [
      Live.self, Ready.self, Models.self, Describe.self, Config.self, Stats.self, Load.self,
      Unload.self,
    ])

  /// What every subcommand takes.
  struct Place: ParsableArguments {
    @Option(help: ArgumentHelp("Triton's gRPC address.", valueName: "host:port"))
    var server = "localhost:8001"

    @Flag(help: "Write JSON.")
    var json = false

    @OptionGroup(title: "Connection options") var connection: ServerOptions

    /// Runs `body` with a client and prints what it gives.
    func run(_ body: (TritonClient) async throws -> Report) async throws {
      let output = try StandardOutput()
      let client = try connection.client(server)
      let report: Report
      do {
        report = try await body(client)
        await client.close()
      } catch {
        await client.close()
        throw error
      }
      try output.write((json ? report.json : report.text.terminalSafe) + "\n")
      if let code = report.exitCode { throw ExitCode(code) }
    }
  }

  /// An answer for people and for programs.
  struct Report {
    var text: String
    var json: String
    var exitCode: Int32?

    init(_ text: String, _ value: some Encodable, exitCode: Int32? = nil) throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      self.text = text
      json = String(decoding: try encoder.encode(value), as: UTF8.self)
      self.exitCode = exitCode
    }

    init(text: String, json: String) { (self.text, self.json) = (text, json) }
  }

  struct Live: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Whether the server answers.")
    @OptionGroup var place: Place

    func run() async throws {
      try await place.run { client in
        let live = try await client.isLive()
        return try Report(
          live ? "live" : "not live", ["live": live], exitCode: live ? nil : ExitStatus.unreachable)
      }
    }
  }

  struct Ready: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Whether the server, or a model, takes inferences.",
      discussion: "Exits with 3 when it does not.")
    @Argument(help: "A model; the server itself without one.") var model: String?
    @Option(help: ArgumentHelp("Its version.", valueName: "n")) var modelVersion = ""
    @Option(help: ArgumentHelp("Wait for it this long.", valueName: "seconds")) var wait: Double = 0
    @OptionGroup var place: Place

    func validate() throws {
      guard wait >= 0, wait <= 86_400 else {
        throw ValidationError("--wait is \(wait), expected 0 to 86400 s")
      }
    }

    func run() async throws {
      try await place.run { client in
        if wait > 0 {
          try await client.waitUntilReady(
            model: model, version: modelVersion, timeout: .milliseconds(Int64(wait * 1_000)))
        }
        let isReady =
          if let model { try await client.isModelReady(model, version: modelVersion) } else {
            try await client.isReady()
          }
        return try Report(
          isReady ? "ready" : "not ready", ["ready": isReady],
          exitCode: isReady ? nil : ExitStatus.unreachable)
      }
    }
  }

  struct Models: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "The models of the server's repositories.")
    @Flag(help: "Only those that are ready.") var ready = false
    @OptionGroup var place: Place

    func run() async throws {
      try await place.run { client in
        let entries = try await client.repositoryIndex(onlyReady: ready)
        var table = Table("MODEL", "VERSION", "STATE", "REASON")
        for entry in entries.sorted(by: { ($0.name, $0.version) < ($1.name, $1.version) }) {
          let state = entry.state.isEmpty ? "NOT LOADED" : entry.state
          let reason = entry.reason.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
          table.rows.append([entry.name, entry.version, state, reason])
        }
        return try Report(table.description, entries)
      }
    }
  }

  struct Config: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "A model's configuration as the server completed it, as JSON.",
      discussion: """
        Fields that this program does not know, such as warm-up or optimization, are left out; \
        standard error says which.
        """)
    @Argument(help: "The model.") var model: String
    @Option(help: ArgumentHelp("Its version.", valueName: "n")) var modelVersion = ""
    @OptionGroup var place: Place

    func run() async throws {
      try await place.run { client in
        let served = try await client.modelConfiguration(model, version: modelVersion)
        if !served.unknownFields.isEmpty {
          Terminal.say(
            "left out: \(served.unknownFields.count) kind(s) of fields that this program does not "
              + "know, by their numbers in Triton's model_config.proto: "
              + served.unknownFields.joined(separator: ", "))
        }
        return Report(text: served.json, json: served.json)
      }
    }
  }

  struct Load: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Load a model, or load it anew.",
      discussion: "The server must run with --model-control-mode=explicit.")
    @Argument(help: "The model.") var model: String
    @Option(help: ArgumentHelp("JSON in place of its config.pbtxt.", valueName: "file"))
    var config: String?
    @OptionGroup var place: Place

    func run() async throws {
      let json = try config.map(Self.read)
      try await place.run { client in
        try await client.loadModel(model, configuration: json)
        return try Report("loaded \(model)", ["loaded": model])
      }
    }

    private static func read(_ path: String) throws -> String {
      guard let data = FileManager.default.contents(atPath: path) else {
        throw ValidationError("--config: \(path) is not there or cannot be read")
      }
      guard let text = String(data: data, encoding: .utf8),
        let value = try? JSONSerialization.jsonObject(with: data), value is [String: Any]
      else {
        throw ValidationError(
          "--config: \(path) is no JSON object; expected a configuration as spo server config "
            + "writes it")
      }
      return text
    }
  }

  struct Unload: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Unload a model.")
    @Argument(help: "The model.") var model: String
    @Flag(help: "Also the models that only this ensemble needs.") var dependents = false
    @OptionGroup var place: Place

    func run() async throws {
      try await place.run { client in
        try await client.unloadModel(model, withDependents: dependents)
        return try Report("unloaded \(model)", ["unloaded": model])
      }
    }
  }
}
