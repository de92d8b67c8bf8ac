import Foundation
import Inference
import RelationServing
import Synchronization
import Triton

/// Equal batches over a list of servers: by the product's engine, or each in turn to the next server.
///
///     client-bench spread ADDRESSES least|round-robin BATCHES ROWS
///
/// Prints sentences a second.
enum Spread {
  private static let shape = ModelShape(
    vocabularySize: 6_872, predicateCount: 56, maximumTokens: 256)
  private static let tokens = 40
  /// Requests in flight for each server: one runs, one waits.
  private static let perServer = 2

  static func run(_ arguments: [String]) async throws {
    guard arguments.count == 4, let batches = Int(arguments[2]), let rows = Int(arguments[3]) else {
      fatalError("usage: client-bench spread ADDRESSES least|round-robin BATCHES ROWS")
    }
    let addresses = arguments[0].split(separator: ",").map(String.init)
    let isLeast = arguments[1] == "least"
    let way: @Sendable (Int) async throws -> Void =
      isLeast ? try await engine(arguments[0]) : try turns(addresses)
    let begin = ContinuousClock.now
    let sent = Turn()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<(isLeast ? 16 : perServer) * addresses.count {
        group.addTask {
          while sent.next() < batches { try await way(rows) }
        }
      }
      try await group.waitForAll()
    }
    let seconds = (ContinuousClock.now - begin) / .seconds(1)
    print(String(format: "%.1f", Double(batches * rows) / seconds))
  }

  private static func sentence(_ row: Int) -> [Int32] {
    (0..<tokens).map { Int32(100 + ($0 * 31 + row * 17) % 6_000) }
  }

  private static func engine(_ list: String) async throws -> @Sendable (Int) async throws -> Void {
    let engine = try await TritonEngine(
      client: TritonClient(list), model: "spo_compact", shape: shape)
    return { rows in
      let batch = InferenceBatch((0..<rows).map(sentence))
      let answers = try await engine.infer(batch, threshold: 0)
      precondition(answers.count == rows)
    }
  }

  private static func turns(
    _ addresses: [String]
  ) throws -> @Sendable (Int) async throws -> Void {
    let clients = try addresses.map { try TritonClient($0) }
    let turn = Turn()
    return { rows in
      let client = clients[turn.next() % clients.count]
      let ids = (0..<rows).flatMap(sentence).map(Int64.init)
      let shape = [rows, tokens]
      let request = InferRequest(
        "spo_compact",
        inputs: [
          .init("input_ids", shape: shape, ids),
          .init("token_type_ids", shape: shape, ids.map { _ in Int64(0) }),
          .init("attention_mask", shape: shape, ids.map { _ in Float(1) }),
        ])
      _ = try await client.infer(request)
    }
  }

  private final class Turn: Sendable {
    private let count = Atomic(0)
    func next() -> Int { count.add(1, ordering: .relaxed).oldValue }
  }
}
