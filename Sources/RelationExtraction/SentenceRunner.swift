internal import GlobalPointer
internal import Inference
internal import Logging
internal import Synchronization

/// Runs batches so that a sentence which the engine cannot read costs that sentence alone.
struct SentenceRunner {
  let extractor: RelationExtractor

  typealias Outcome = Result<SentenceCandidates, InferenceError>

  /// One outcome for each row of the batch, in order.
  ///
  /// A row that the engine names is set aside and the others run again; a failure that names none
  /// is narrowed down by halving.
  /// - Throws: `InferenceError` of what is no sentence's own: a lost server, a wrong model, or
  ///   failures in a row beyond the limit. `CancellationError`.
  func outcomes(of batch: InferenceBatch) async throws -> [Outcome] {
    do {
      let answers = try await infer(batch)
      extractor.failures.reset()
      return answers.map { .success($0) }
    } catch let error as InferenceError where error.concernsSentences {
      return try await isolate(error, in: batch)
    } catch let error as InferenceError where error.code == .cancelled {
      throw CancellationError()
    }
  }

  private func infer(_ batch: InferenceBatch) async throws -> [SentenceCandidates] {
    try await extractor.limiter.withPermit {
      try await extractor.engine.infer(batch, threshold: extractor.configuration.threshold)
    }
  }

  private func isolate(_ error: InferenceError, in batch: InferenceBatch) async throws -> [Outcome]
  {
    let logger = extractor.configuration.logger
    if batch.rowCount == 1 {
      logger.warning("a sentence cannot be read", metadata: ["error": "\(error)"])
      try extractor.failures.count(error)
      return [.failure(error)]
    }
    if let row = error.row, (0..<batch.rowCount).contains(row) {
      logger.warning("a sentence cannot be read", metadata: ["error": "\(error)"])
      var outcomes = try await outcomes(
        of: batch.rows(0..<row) + batch.rows(row + 1..<batch.rowCount))
      outcomes.insert(.failure(error), at: row)
      return outcomes
    }
    logger.debug("a batch is halved", metadata: ["error": "\(error)", "rows": "\(batch.rowCount)"])
    let middle = batch.rowCount / 2
    return try await outcomes(of: batch.rows(0..<middle))
      + outcomes(of: batch.rows(middle..<batch.rowCount))
  }
}

/// Sentences in a row that the engine failed on.
final class FailureCount: Sendable {
  private let limit: Int
  private let inARow = Mutex(0)

  init(limit: Int) { self.limit = max(1, limit) }

  func reset() { inARow.withLock { $0 = 0 } }

  /// Throws the error once there are more than the limit. One of the text itself does not count.
  func count(_ error: InferenceError) throws {
    guard error.code == .engineFailure else { return }
    let count = inARow.withLock { count in
      count += 1
      return count
    }
    guard count > limit else { return }
    throw InferenceError(
      code: .badModel,
      message: "the engine failed on \(count) sentences in a row, the last time with: "
        + error.message, cause: error)
  }
}
