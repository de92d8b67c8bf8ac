import Foundation
import Testing

/// Two ways to compute one model, held against each other by `spo compare`.
@Suite(.timeLimit(.minutes(5))) struct CompareTests {
  private func compare(_ words: [String]) async throws -> Command {
    let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).txt")
    try Data(AgreementTests.texts.joined(separator: "\n").utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    return try await Command.spo(
      ["compare"] + words + [file.path, "--bundle", Project.demo.path])
  }

  @Test func `Every export agrees with the embedded engine`() async throws {
    let server = try await Servers.get(.production).address
    for model in ["spo_onnx", "spo_pt+dense-shm", "spo_compact", "spo_pt_compact@1"] {
      let run = try await compare(["embedded", "\(server)/\(model)"])
      #expect(run.status == 0 && run.output.contains("they agree"), "\(run.output)\(run.errors)")
      #expect(!run.output.contains("\n0 triples in common"), "\(run.output)")
    }
  }

  @Test func `A difference beyond the tolerance is told with both scores`() async throws {
    let run = try await compare([
      "embedded", "embedded:bfloat16", "--tolerance", "1e-6", "--show", "2",
    ])
    #expect(run.status == 1, "\(run.output)\(run.errors)")
    #expect(run.output.contains("they differ") && run.output.contains("scores"), "\(run.output)")
    let wide = try await compare(["embedded", "embedded:bfloat16", "--tolerance", "0.5", "--json"])
    #expect(wide.status == 0 && wide.output.contains("\"agreed\" : true"), "\(wide.output)")
  }

  @Test func `An export whose masks overflow in half precision is found`() async throws {
    let python = try #require(ProcessInfo.processInfo.environment["SPO_SERVE_PYTHON"])
    let script = Project.root.appending(path: "Tests/TritonTests/Reference/half_mask.py").path
    let model = Project.root.appending(path: ".build/tests/half/spo_half")
    let packages = Project.root.appending(path: "Scripts/python").path
    let made = try await Command(
      python, [script, Project.demo.path, model.path], ["PYTHONPATH": packages])
    #expect(made.status == 0, "\(made.errors)")
    let kind = ServerKind(name: "half", models: [], others: [".build/tests/half/spo_half"])
    let server = try await Servers.get(kind).address
    let run = try await compare(["embedded", "\(server)/spo_half"])
    #expect(run.status == 1, "\(run.output)\(run.errors)")
    #expect(
      run.output.contains("nan, expected a finite logit") && run.output.contains("they differ"),
      "\(run.output)")
  }

  @Test(arguments: [
    ["nowhere", "embedded"], ["embedded", "localhost:1/m+best"], ["embedded", "embedded:int8"],
  ])
  func `A side that is none is refused`(_ sides: [String]) async throws {
    let run = try await compare(sides)
    #expect(run.status == 2, "\(run.errors)")
  }
}
