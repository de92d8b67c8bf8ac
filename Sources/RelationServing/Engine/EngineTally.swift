internal import Inference
internal import Synchronization
internal import Triton

/// Counts while calls are under way.
final class EngineTally: Sendable {
  private let state = Mutex(EngineStatistics())

  var statistics: EngineStatistics { state.withLock { $0 } }

  func count(sentences: Int, askedAgain: Int = 0) {
    state.withLock { state in
      state.sentences += sentences
      state.askedAgain += askedAgain
    }
  }

  func fellBack(_ rows: Int, _ error: TritonError) {
    state.withLock { state in
      state.fellBack += rows
      state.failure = "\(error)"
    }
  }

  /// Whether compact answers are cut so often, as at a very low threshold, that asking for them
  /// first only costs.
  var isMostlyCut: Bool {
    state.withLock { $0.sentences >= 256 && $0.askedAgain * 2 > $0.sentences }
  }
}
