internal import Synchronization

/// What a `TritonEngine` has done since it was made.
public struct EngineStatistics: Sendable, Hashable {
  /// Sentences answered.
  public var sentences = 0
  /// Sentences asked again densely, because their compact answer may have been cut.
  public var askedAgain = 0
  /// Sentences asked in a lesser way because a better one failed; see `failure`.
  public var fellBack = 0
  /// Why the better way failed, the last time.
  public var failure: String?
  /// Requests answered.
  public var requests = 0
  /// Requests that the server refused for overload; each was sent again.
  public var overloads = 0
  /// Requests that may be in flight now.
  public var concurrency = 0
  /// Time spent on requests' tensors, all calls together.
  public var encoding = Duration.zero
  /// Time spent on answers' tensors and their decoding.
  public var decoding = Duration.zero
  /// Bytes of messages sent, every call of the client counted.
  public var bytesSent = 0
  /// Bytes of messages received.
  public var bytesReceived = 0
}

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
