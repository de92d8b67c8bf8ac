import BLAS
import EmbeddedEngine
import Foundation
import GlobalPointer
import Inference
import RelationExtraction

/// Sentences of token ids to triples, as `RelationExtractor` plans and runs them.
///
/// Arguments: BUNDLE SENTENCES PRECISION THREADS THRESHOLD, SENTENCES being a JSON array of id
/// arrays in file order.
final class EngineBenchmark: Benchmark {
  private let engine: EmbeddedEngine
  private let sentences: [[Int32]]
  private let threshold: Float
  private var answers: [SentenceCandidates] = []

  init(_ arguments: [String]) throws {
    var configuration = EmbeddedEngine.Configuration()
    configuration.precision = Precision(rawValue: arguments[2])
    configuration.threads = Int(arguments[3])
    let bundle = try ModelBundle(directory: URL(fileURLWithPath: arguments[0]))
    engine = try EmbeddedEngine(bundle: bundle, configuration: configuration)
    let data = try Data(contentsOf: URL(fileURLWithPath: arguments[1]))
    sentences = try JSONDecoder().decode([[Int32]].self, from: data)
    threshold = Float(arguments[4]) ?? 0
  }

  func pass() async throws {
    let plan = BatchPlanner(engine.limits).plan(lengths: sentences.map(\.count))
    var pending = plan[...]
    var answers = [SentenceCandidates?](repeating: nil, count: sentences.count)
    let (engine, sentences, threshold) = (engine, sentences, threshold)
    try await withThrowingTaskGroup(of: ([Int], [SentenceCandidates]).self) { group in
      func start() {
        guard let batch = pending.popFirst() else { return }
        group.addTask {
          let request = InferenceBatch(batch.map { sentences[$0] })
          return (batch, try await engine.infer(request, threshold: threshold))
        }
      }
      for _ in 0..<engine.limits.concurrency { start() }
      while let (batch, results) = try await group.next() {
        for (index, result) in zip(batch, results) { answers[index] = result }
        start()
      }
    }
    self.answers = answers.compactMap { $0 }
  }

  /// For each sentence its triples as [predicate, s.start, s.end, o.start, o.end, score].
  func results() throws -> Data {
    let rows = answers.map { answer in
      answer.triples.map { triple in
        [
          Double(triple.predicate), Double(triple.subject.start), Double(triple.subject.end),
          Double(triple.object.start), Double(triple.object.end), Double(triple.parts.score),
        ]
      }
    }
    return try JSONEncoder().encode(rows)
  }
}
