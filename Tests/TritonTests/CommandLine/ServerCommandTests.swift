import Foundation
import Testing

/// `spo server` and `spo doctor` against real servers, as a user reads them.
@Suite(.timeLimit(.minutes(3))) struct ServerCommandTests {
  private func spo(_ words: String...) async throws -> Command {
    let server = try await Servers.get(.main)
    return try await Command.spo(words + ["--server", server.address])
  }

  private func json(_ run: Command) throws -> [String: Any] {
    let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8))
    return try #require(object as? [String: Any])
  }

  @Test func `live and ready say so and exit with 0`() async throws {
    let live = try await spo("server", "live")
    #expect(live.output == "live\n" && live.status == 0)
    let ready = try await spo("server", "ready", "sum")
    #expect(ready.status == 0)
    let model = try await spo("server", "ready", "failing")
    #expect(model.status == 3 && model.output.contains("not ready"))
  }

  @Test func `models lists each with state and reason`() async throws {
    let run = try await spo("server", "models")
    #expect(run.status == 0)
    let failing = try #require(run.output.split(separator: "\n").first { $0.hasPrefix("failing") })
    #expect(failing.contains("UNAVAILABLE") && failing.contains("fails to load, as it should"))
    #expect(run.output.contains("spo_dense") && run.output.contains("READY"))
  }

  @Test func `describe tells the contract, limits and sizes`() async throws {
    let run = try await spo("server", "describe", "spo_dense")
    #expect(run.status == 0)
    for text in ["INPUT__1", "OUTPUT__3", "INT64", "at most 8 rows", "3 predicates"] {
      #expect(run.output.contains(text), "\(text) in \(run.output)")
    }
    let misfit = try await spo("server", "describe", "spo_misfit")
    #expect(misfit.status == 42 && misfit.errors.contains("so_tail"))
  }

  @Test func `config and stats are JSON on demand`() async throws {
    let config = try json(try await spo("server", "config", "sum", "--json"))
    #expect(config["max_batch_size"] as? Int == 8)
    let stats = try await spo("server", "stats", "--json")
    #expect(stats.status == 0 && stats.output.contains("\"queue\""))
    let table = try await spo("server", "stats", "sum")
    #expect(table.status == 0 && table.output.contains("sum"))
  }

  @Test func `load and unload change what is ready`() async throws {
    let server = try await Servers.get(
      ServerKind(
        name: "loading", models: ["sum"], flags: ["--model-control-mode=explicit"]))
    func run(_ words: String...) async throws -> Command {
      try await Command.spo(words + ["--server", server.address])
    }
    #expect(try await run("server", "load", "sum").status == 0)
    #expect(try await run("server", "ready", "sum").status == 0)
    #expect(try await run("server", "unload", "sum").status == 0)
    let unknown = try await run("server", "load", "nobody")
    #expect(unknown.status == 42 && unknown.errors.contains("nobody"))
  }

  @Test func `doctor finds a served model well, or says what to do`() async throws {
    let server = try await Servers.get(.main)
    let good = try await Command.spo(
      ["doctor", "--server", server.address, "--model", "spo_misfit"])
    #expect(good.status == 42)
    #expect(good.output.contains("PROBLEM contract"), "\(good.output)")
    #expect(good.output.contains("ok      reach"), "\(good.output)")
    let unknown = try await Command.spo(["doctor", "--server", server.address, "--model", "nobody"])
    #expect(unknown.status == 42 && unknown.output.contains("PROBLEM model"))
  }
}
