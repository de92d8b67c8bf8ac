import Foundation
import Testing
import Triton

/// Loading and unloading, on a server of its own kind so that no other test misses a model.
@Suite(.serialized, .timeLimit(.minutes(3))) struct RepositoryTests {
  private static let kind = ServerKind(
    name: "explicit", models: ["sum", "dependent", "failing", "answer"],
    flags: ["--model-control-mode=explicit"])

  private static func sum(_ model: String) -> InferRequest {
    let inputs = ["A", "B"].map { InferInput($0, shape: [1, 2], [1, 2] as [Int32]) }
    return InferRequest(model, inputs: inputs)
  }

  @Test func `The index lists models, loaded or not`() async throws {
    let client = try await Servers.get(Self.kind).client()
    try await client.loadModel("answer")
    let index = try await client.repositoryIndex()
    #expect(Set(index.map(\.name)) == ["sum", "dependent", "failing", "answer"])
    #expect(index.first { $0.name == "answer" }?.state == "READY")
    let ready = try await client.repositoryIndex(onlyReady: true)
    #expect(ready.contains { $0.name == "answer" } && !ready.contains { $0.name == "failing" })
  }

  @Test func `A model that fails to load gives its own reason`() async throws {
    let client = try await Servers.get(Self.kind).client()
    await expectFailure(.loadFailed, saying: "this model fails to load, as it should") {
      try await client.loadModel("failing")
    }
    let entry = try await client.repositoryIndex().first { $0.name == "failing" }
    #expect(entry?.reason.contains("this model fails to load, as it should") == true)
  }

  @Test func `Unloading with dependents unloads an ensemble's step too`() async throws {
    let client = try await Servers.get(Self.kind).client()
    // A step that was loaded for itself would stay.
    try await client.unloadModel("sum")
    try await client.loadModel("dependent")
    let total = try await client.infer(Self.sum("dependent")).output("SUM").array(of: Int32.self)
    #expect(total == [3, 6])
    try await client.unloadModel("dependent", withDependents: true)
    while try await client.isModelReady("sum") { try await Task.sleep(for: .milliseconds(20)) }
    await expectFailure(.notReady) { _ = try await client.infer(Self.sum("sum")) }
  }

  @Test("Bug: a model that is unloaded and loaded again is waited for, with what was there before")
  func reloaded() async throws {
    let server = try await Servers.get(Self.kind)
    var configuration = TritonClient.Configuration()
    (configuration.retry.budget, configuration.retry.attempts) = (0, 2)
    let client = try server.client(configuration)
    try await client.loadModel("answer")
    let request = InferRequest("answer", inputs: [InferInput("X", shape: [1], [Int32(1)])])
    func answered() async throws -> Bool {
      // Whatever the model says of the request, it has answered.
      do { _ = try await client.infer(request) } catch let error as TritonError {
        guard error.code == .contract else { throw error }
      }
      return true
    }
    try await client.loadModel("sum")
    _ = try await client.infer(Self.sum("sum"))
    try await client.unloadModel("sum")
    while try await client.isModelReady("sum") { try await Task.sleep(for: .milliseconds(20)) }
    let waiting = Task { try await client.infer(Self.sum("sum")).output("SUM") }
    while client.statistics.retries < 2 { await Task.yield() }
    // Other models of the server do not wait for it.
    #expect(try await answered())
    try await client.loadModel("sum")
    let total = try await waiting.value.array(of: Int32.self)
    #expect(total == [2, 4])
  }

  @Test func `A load takes another configuration`() async throws {
    let client = try await Servers.get(Self.kind).client()
    try await client.loadModel("sum")
    let before = try await client.modelConfiguration("sum")
    #expect(before.maxBatchSize == 8)
    let json = before.json.replacing(
      #/"max_batch_size" ?: ?8/#, with: "\"max_batch_size\": 16")
    try await client.loadModel("sum", configuration: json)
    let after = try await client.modelConfiguration("sum")
    #expect(after.maxBatchSize == 16)
    // Only a fresh load reads config.pbtxt again.
    try await client.unloadModel("sum")
    try await client.loadModel("sum")
    let back = try await client.modelConfiguration("sum")
    #expect(back.maxBatchSize == 8)
  }

  @Test func `A load takes the model's files`() async throws {
    let client = try await Servers.get(Self.kind).client()
    let code = """
      import triton_python_backend_utils as pb_utils

      class TritonPythonModel:
          def execute(self, requests):
              read = lambda r: pb_utils.get_input_tensor_by_name(r, "X").as_numpy()
              return [pb_utils.InferenceResponse([pb_utils.Tensor("Y", read(r) * 2)]) for r in requests]
      """
    let configuration = """
      {"backend": "python", "max_batch_size": 0,
       "input": [{"name": "X", "data_type": "TYPE_INT32", "dims": [-1]}],
       "output": [{"name": "Y", "data_type": "TYPE_INT32", "dims": [-1]}]}
      """
    try await client.loadModel(
      "sent", configuration: configuration, files: ["1/model.py": Array(code.utf8)])
    let input = InferInput("X", shape: [2], [4, 5] as [Int32])
    let doubled = try await client.infer(InferRequest("sent", inputs: [input])).output("Y")
    let values = try doubled.array(of: Int32.self)
    #expect(values == [8, 10])
    await expectFailure(.invalidRequest, saying: "configuration") {
      try await client.loadModel("sent", files: ["1/model.py": [1]])
    }
  }

  @Test func `A server with fixed models says how to change that`() async throws {
    let client = try await Servers.get(.restricted).client()
    await expectFailure(.unsupported, saying: "--model-control-mode=explicit") {
      try await client.loadModel("sum")
    }
  }
}
