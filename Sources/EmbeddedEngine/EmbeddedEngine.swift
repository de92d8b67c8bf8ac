public import BLAS
internal import Foundation
public import GlobalPointer
public import Inference
public import RelationBundle
internal import Synchronization

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

    /// Called by the worker before each step of a call, for tests.
    var onStep: (@Sendable () -> Void)?
    /// Feature floats of one side of one product of the pair heads: bounds the memory that the
    /// candidates of several sentences can take.
    var pairFloats = 4 << 20

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
  private let bundle: ModelBundle
  private let weights: BundleFile
  let workers: WorkerPool
  private let onStep: (@Sendable () -> Void)?
  private let done = Mutex((times: StageTimes(), statistics: EngineStatistics()))

  /// Opens the bundle's weights and starts the workers.
  ///
  /// - Throws: `BundleError` naming the file and the tensor, `InferenceError` when the processor
  ///   lacks the precision, a number of the configuration is below 1, or the system refuses memory
  ///   or threads.
  public init(bundle: ModelBundle, configuration: Configuration = .init()) throws {
    _ = OpenBLAS.singleThreaded
    precision = configuration.precision ?? .fastestFloat32
    guard precision.isSupported else {
      throw InferenceError(
        code: .badModel,
        message: "this processor has no instructions for \(precision.rawValue); "
          + "use float32 or reference")
    }
    let threads = try Self.positive(
      configuration.threads ?? ProcessInfo.processInfo.activeProcessorCount, "threads")
    let rows = try Self.positive(configuration.batchRows, "batchRows")
    let tokens = try Self.positive(configuration.batchTokens, "batchTokens")
    (self.bundle, weights) = (bundle, try BundleFile(path: bundle.weightsPath))
    model = try Self.model(weights, bundle.configuration, precision, configuration.pairFloats)
    shape = bundle.modelShape
    identity = EngineIdentity(
      engine: "embedded", model: bundle.directory.path, mode: precision.rawValue)
    limits = EngineLimits(
      batchRows: rows, batchTokens: max(tokens, shape.maximumTokens), concurrency: threads)
    onStep = configuration.onStep
    workers = try WorkerPool(threads: threads)
  }

  /// The SHA-256 of the bundle's files as they were read, in the order of their names.
  ///
  /// A file that was replaced since is hashed as it was; of one that was overwritten in place the
  /// digest has a note instead of a hash. The files are read and hashed when this is called, some
  /// 2 GB a second where the processor has instructions for it.
  public func digests() -> [FileDigest] {
    (bundle.digests() + [weights.digest()]).sorted { $0.file < $1.file }
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
    return try await onWorker { workspace, checkpoint in
      let (answers, times) = try self.model.infer(
        sentences, threshold: threshold, workspace, checkpoint: checkpoint)
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
    return try await onWorker { workspace, checkpoint in
      try self.model.scores(of: queries, sentence, workspace, checkpoint: checkpoint)
    }
  }

  /// Runs `body` on a worker; its checkpoint throws when the call shall end.
  private func onWorker<Result: Sendable>(
    _ body: @escaping @Sendable (Workspace, () throws -> Void) throws -> Result
  ) async throws(InferenceError) -> Result {
    try await workers.perform { [onStep] workspace, token throws(InferenceError) in
      do {
        return try body(workspace) {
          onStep?()
          try token.check()
        }
      } catch let error as InferenceError {
        throw error
      } catch {
        throw InferenceError(code: .engineFailure, message: "\(error)", cause: error)
      }
    }
  }

  /// Ends the worker threads and returns when they have ended.
  ///
  /// Calls that wait end with an error of code `closed` at once, running ones before their next
  /// layer, later ones at once. It may be called twice.
  public func close() async { await workers.close() }

  deinit { workers.shut() }

  private static func model(
    _ weights: BundleFile, _ configuration: ModelConfiguration, _ precision: Precision,
    _ pairFloats: Int
  ) throws -> JointModel {
    do {
      let reader = WeightReader(tensors: try SafeTensors(weights), precision: precision)
      let model = try JointModel(reader, configuration, pairFloats: pairFloats)
      try weights.requireUnchanged()
      return model
    } catch let error as AllocationError {
      throw InferenceError(code: .engineFailure, message: error.description, cause: error)
    }
  }

  private static func positive(_ value: Int, _ name: String) throws -> Int {
    guard value >= 1 else {
      throw InferenceError(
        code: .invalidRequest, message: "\(name) is \(value), expected at least 1")
    }
    return value
  }
}
