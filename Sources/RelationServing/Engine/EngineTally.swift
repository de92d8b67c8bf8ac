internal import Inference
internal import Logging
internal import Synchronization
internal import Triton

/// Counts while calls are under way.
final class EngineTally: Sendable {
  private let state = Mutex(EngineStatistics())
  private let logger: Logger

  init(logger: Logger) { self.logger = logger }

  var statistics: EngineStatistics { state.withLock { $0 } }

  func count(sentences: Int, askedAgain: Int = 0) {
    state.withLock { state in
      state.sentences += sentences
      state.askedAgain += askedAgain
    }
  }

  /// Told once for each reason in a row, however many sentences it concerns.
  func fellBack(_ rows: Int, _ error: TritonError) {
    let isNew = state.withLock { state in
      state.fellBack += rows
      defer { state.failure = "\(error)" }
      return state.failure != "\(error)"
    }
    guard isNew else { return }
    logger.warning("sentences are asked in a lesser way", metadata: ["error": "\(error)"])
  }

  /// Whether compact answers are cut so often, as at a very low threshold, that asking for them
  /// first only costs.
  var isMostlyCut: Bool {
    state.withLock { $0.sentences >= 256 && $0.askedAgain * 2 > $0.sentences }
  }
}
