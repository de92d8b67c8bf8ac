import Inference
import Testing

@testable import RelationServing
@testable import Triton

extension ModelShape {
  /// Of the models of `server.py`, which are those of the tests.
  static let hostile = ModelShape(
    vocabularySize: 1_000, predicateCount: ContractLogits.predicates, maximumTokens: 64)
}

extension TritonEngine {
  /// An engine of the server that lies.
  static func hostile(
    _ lie: String, of token: Int32? = nil, model: String = "dense",
    _ change: (inout Configuration) -> Void = { _ in }
  ) async throws -> TritonEngine {
    var configuration = Configuration()
    change(&configuration)
    return try await TritonEngine(
      client: try await HostileServer.shared().client(lie, of: token), model: model,
      shape: .hostile, configuration: configuration)
  }

  func expectRight(
    _ sentences: [[Int32]], threshold: Float = 3,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let answers = try await infer(InferenceBatch(sentences), threshold: threshold)
    let expected = try sentences.map {
      try ContractLogits(ids: $0, length: 64).decoded(threshold: threshold)
    }
    #expect(answers == expected, sourceLocation: sourceLocation)
  }
}

/// A refusal by the client, for what no Triton tells, or by the contract, for what no model has.
func expectRefused(
  saying text: String = "", sourceLocation: SourceLocation = #_sourceLocation,
  _ body: () async throws -> Void
) async {
  let error = await #expect(throws: TritonError.self, sourceLocation: sourceLocation) {
    try await body()
  }
  guard let error else { return }
  #expect([.contract, .serverBug].contains(error.code), "\(error)", sourceLocation: sourceLocation)
  #expect(error.description.contains(text), "\(error)", sourceLocation: sourceLocation)
}

let someSentences: [[Int32]] = [[101, 5, 9, 12, 7, 102], Array(101...140), [101, 33, 102]]

/// Whatever sizes a server tells, it is refused in a sentence, or served.
@Suite(.timeLimit(.minutes(2))) struct SizeTests {
  @Test func `The server without a lie is an honest one`() async throws {
    let engine = try await TritonEngine.hostile("compact")
    #expect(engine.plan.primary.model == "dense_compact", "\(engine.plan.explanation)")
    try await engine.expectRight(someSentences)
    #expect(engine.statistics.fellBack == 0)
    try await TritonEngine.hostile("") { $0.route = .dense }.expectRight(someSentences)
  }

  private static let odd = [
    0, 1, -2, -5, 1 << 31, 1 << 40, 1 << 62, .max, .min, Int(Int32.min), 70_000,
  ]

  @Test(arguments: odd)
  func `Bug: sentences of a fixed length of 0 or 1, or a huge one, ended the program`(
    _ length: Int
  ) async throws {
    await expectRefused(saying: "\(length)") {
      _ = try await TritonEngine.hostile("length:\(length)")
    }
  }

  @Test(arguments: [65_536, 10_000])
  func `A model whose fixed length passes every answer is not asked for one`(_ length: Int) async {
    await expectFailure(.size, saying: "one sentence of \(length) tokens") {
      _ = try await TritonEngine.hostile("length:\(length)")
    }
  }

  @Test(arguments: odd.filter { $0 != 1 } + [4])
  func `Bug: a number of predicates that overflows ended the program`(_ count: Int) async throws {
    await expectRefused(saying: "\(count)") {
      _ = try await TritonEngine.hostile("heads:\(count)")
    }
  }

  @Test(arguments: [0, -2, 1 << 31, 1 << 40, .max, .min])
  func `Bug: room for 2^40 triples in a compact answer ended the program`(_ limit: Int) async throws
  {
    let engine = try await TritonEngine.hostile("limit:\(limit)", model: "dense")
    #expect(!engine.plan.primary.route.isCompact)
    await expectRefused(saying: "\(limit)") {
      _ = try await TritonEngine.hostile("limit:\(limit)", model: "dense_compact")
    }
  }

  @Test(arguments: ["instances:2147483647", "groups:1000", "instances:-5"])
  func `Instances that no Triton has are refused`(_ lie: String) async {
    await expectRefused(saying: "instance") { _ = try await TritonEngine.hostile(lie) }
  }

  @Test(arguments: ["instances:60000", "instances:0"])
  func `Bug: instances without number kept one core busy before anything was sent`(
    _ lie: String
  ) async throws {
    let engine = try await TritonEngine.hostile(lie)
    #expect((1...1_024).contains(engine.limits.concurrency))
    try await engine.expectRight(someSentences)
  }

  @Test(arguments: [0, -1, .min, .max])
  func `A number of requests in flight that no engine can keep is refused`(_ number: Int) async {
    await expectFailure(.invalidRequest, saying: "concurrency is \(number)") {
      _ = try await TritonEngine.hostile("") { $0.concurrency = number }
    }
  }
}
