import BLAS
import EmbeddedEngine
import Foundation
import GlobalPointer
import Inference
import RelationBundle
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
    let plan = BatchPlanner(engine.limits).plan(lengths: sentences.map(\.count)).map(\.sentences)
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

  /// Shares of the three stages, and what one core reaches in one large product.
  var stages: String {
    let times = engine.stageTimes
    let total = times.encoder + times.entity + times.pairs
    let shares = [
      ("encoder", times.encoder), ("entity head", times.entity), ("pair heads", times.pairs),
    ]
    let text = shares.map { String(format: "%@ %.1f %%", $0.0, 100 * $0.1 / total) }
    return text.joined(separator: ", ")
      + String(format: "; one large product %.0f GFLOP/s a core", (try? largeProduct()) ?? 0)
  }

  /// GFLOP/s of [480, 768] x [3072, 768]^T, the best of ten, on one core.
  private func largeProduct() throws -> Double {
    let (m, n, k) = (480, 3_072, 768)
    let (x, w) = ([Float](repeating: 0.5, count: m * k), [Float](repeating: 0.25, count: n * k))
    let linear = try w.withUnsafeBufferPointer {
      try Linear(weights: $0, bias: nil, rows: n, columns: k, precision: engine.precision)
    }
    var y = [Float](repeating: 0, count: m * n)
    var scratch = [Float](repeating: 0, count: Linear.scratchCount(depth: k))
    let seconds = (0..<10).map { _ in
      let begin = ContinuousClock.now
      linear.apply(x, count: m, into: &y, scratch: &scratch)
      return Double((ContinuousClock.now - begin).components.attoseconds) * 1e-18
    }
    return 2 * Double(m * n * k) / (seconds.min() ?? 1) * 1e-9
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
