public import BLAS
internal import Dispatch
internal import Foundation
public import GlobalPointer
public import Inference
public import RelationBundle
internal import Synchronization
internal import Tensors

/// RoBERTa with GlobalPointer heads on the CPU, in this process: no server, no GPU.
///
/// ```swift
/// let bundle = try ModelBundle(directory: url)
/// let engine = try EmbeddedEngine(bundle: bundle)
/// ```
///
/// Each worker is one thread with its own scratch memory and takes whole batches, so workers
/// share nothing but the weights; OpenBLAS itself is set to one thread.
public final class EmbeddedEngine: InferenceEngine {
  /// What to run it with.
  public struct Configuration: Sendable {
    /// How weights are stored; nil takes the fastest FP32 of this processor.
    public var precision: Precision?
    /// Worker threads; nil takes one for each core.
    public var threads: Int?
    /// Tokens of one batch: enough rows to keep a matrix product busy, small enough for cache.
    public var batchTokens = 1_024
    /// Sentences of one batch.
    public var batchRows = 256

    /// The defaults.
    public init() {}
  }

  /// The sizes that the bundle's config.json gives.
  public let shape: ModelShape
  /// What one call may hold; one call in flight for each worker.
  public let limits: EngineLimits
  /// How the weights are stored.
  public let precision: Precision
  /// The bundle and the precision.
  public let identity: EngineIdentity

  let model: JointModel
  private let workers: [Worker]
  private let next = Mutex(0)
  private let done = Mutex((times: StageTimes(), statistics: EngineStatistics()))

  /// Opens the bundle's weights and starts the workers.
  ///
  /// - Throws: `BundleError` naming the file and the tensor, `InferenceError` when the processor
  ///   lacks the precision.
  public init(bundle: ModelBundle, configuration: Configuration = .init()) throws {
    _ = OpenBLAS.singleThreaded
    precision = configuration.precision ?? .fastestFloat32
    guard precision.isSupported else {
      throw InferenceError(
        code: .badModel,
        message: "this processor has no instructions for \(precision.rawValue); "
          + "use float32 or reference")
    }
    let reader = WeightReader(
      tensors: try SafeTensors(path: bundle.weightsPath), precision: precision)
    model = try JointModel(reader, bundle.configuration)
    let threads = max(1, configuration.threads ?? ProcessInfo.processInfo.activeProcessorCount)
    shape = bundle.modelShape
    identity = EngineIdentity(
      engine: "embedded", model: bundle.directory.path, mode: precision.rawValue)
    limits = EngineLimits(
      batchRows: configuration.batchRows,
      batchTokens: max(configuration.batchTokens, shape.maximumTokens), concurrency: threads)
    workers = (0..<threads).map { Worker(label: "spo.embedded.\($0)") }
  }

  /// Where the time of all finished `infer` calls has gone.
  public var stageTimes: StageTimes { done.withLock { $0.times } }

  /// Sentences and calls so far.
  public var statistics: EngineStatistics { done.withLock { $0.statistics } }

  /// Runs the batch on one worker; see `InferenceEngine.infer`.
  public func run(_ batch: InferenceBatch, threshold: Float) async throws(InferenceError)
    -> [SentenceCandidates]
  {
    let sentences = PackedSentences(ids: batch.ids, rows: batch.rowStarts)
    return try await onWorker { workspace, cancelled in
      let (answers, times) = try self.model.infer(sentences, threshold: threshold, workspace) {
        if cancelled.isSet { throw CancellationError() }
      }
      self.done.withLock { done in
        done.times += times
        done.statistics.sentences += answers.count
        done.statistics.requests += 1
      }
      return answers
    }
  }

  /// The four logits of each query; see `InferenceEngine.scores`.
  public func runScores(of queries: [TripleQuery], in ids: [Int32]) async throws(InferenceError)
    -> [ScoreParts]
  {
    let sentence = PackedSentences(ids: ids, rows: [0, ids.count])
    return try await onWorker { workspace, _ in
      try self.model.scores(of: queries, sentence, workspace)
    }
  }

  /// Nothing is held outside this process.
  public func close() async {}

  private func onWorker<Result: Sendable>(
    _ body: @escaping @Sendable (Workspace, CancellationFlag) throws -> Result
  ) async throws(InferenceError) -> Result {
    do { return try await anyWorker(body) } catch let error as InferenceError {
      throw error
    } catch is CancellationError {
      throw .cancelled
    } catch {
      throw InferenceError(code: .engineFailure, message: "\(error)", cause: error)
    }
  }

  private func anyWorker<Result: Sendable>(
    _ body: @escaping @Sendable (Workspace, CancellationFlag) throws -> Result
  ) async throws -> Result {
    let worker = next.withLock { next in
      next = (next + 1) % workers.count
      return workers[next]
    }
    let flag = CancellationFlag()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        worker.run { workspace in
          continuation.resume(
            with: Swift.Result {
              if flag.isSet { throw CancellationError() }
              return try body(workspace, flag)
            })
        }
      }
    } onCancel: {
      flag.set()
    }
  }
}

/// A serial queue and the scratch memory that only it touches.
private final class Worker: Sendable {
  private let queue: DispatchQueue
  // Touched only on `queue`.
  private nonisolated(unsafe) let workspace = Workspace()

  init(label: String) { queue = DispatchQueue(label: label) }

  func run(_ body: @escaping @Sendable (Workspace) -> Void) {
    queue.async { body(self.workspace) }
  }
}

/// Set once, from any thread, when the caller no longer wants the answer.
final class CancellationFlag: Sendable {
  private let value = Atomic(false)
  var isSet: Bool { value.load(ordering: .relaxed) }
  func set() { value.store(true, ordering: .relaxed) }
}
