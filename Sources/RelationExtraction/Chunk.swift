internal import Synchronization

/// Texts that were taken from a stream together, on their way through the engine. Their sentences
/// share batches with those of other chunks; the last one that comes back completes it.
final class Chunk: Sendable {
  /// What was read of each text in order; the failure is none of a text's own.
  typealias Answer = Result<[BatchReading.DocumentResult], any Error>

  /// A sentence of a chunk: what a batch is made of.
  struct Sentence: Sendable {
    let chunk: Chunk
    let place: Int
  }

  /// Its place among the stream's chunks.
  let number: Int
  let reading: BatchReading
  private let state: Mutex<State>

  private struct State {
    var outcomes: [BatchReading.Outcome]
    /// Sentences that have not come back.
    var missing: Int
    var failure: (any Error)?
  }

  init(_ extractor: RelationExtractor, _ texts: [String], number: Int) {
    self.number = number
    let reading = BatchReading(extractor: extractor, texts: texts)
    self.reading = reading
    let missing = reading.sentences.count { !reading.isEmpty($0) }
    state = Mutex(State(outcomes: reading.nothing, missing: missing))
  }

  /// Sentences to be read, from the longest to the shortest: like lengths share a batch.
  var sentences: [(sentence: Sentence, length: Int)] {
    reading.sentences.filter { !reading.isEmpty($0) }
      .map { (Sentence(chunk: self, place: $0), reading.length($0)) }
      .sorted { ($1.length, $0.sentence.place) < ($0.length, $1.sentence.place) }
  }

  /// The answer where nothing has to be asked.
  var answerWithoutSentences: Answer? {
    state.withLock { $0.missing == 0 ? $0.outcomes : nil }.map { .success(reading.results($0)) }
  }

  /// Takes what came back of some sentences, or why they do not; returns the answer with the last
  /// of them.
  func complete(_ places: [Int], _ outcomes: Result<[BatchReading.Outcome], any Error>) -> Answer? {
    let (all, failure): ([BatchReading.Outcome]?, (any Error)?) = state.withLock { state in
      switch outcomes {
      case .success(let outcomes):
        for (place, outcome) in zip(places, outcomes) { state.outcomes[place] = outcome }
      case .failure(let failure): state.failure = state.failure ?? failure
      }
      state.missing -= places.count
      return state.missing == 0 ? (state.outcomes, state.failure) : (nil, nil)
    }
    if let failure { return .failure(failure) }
    return all.map { .success(reading.results($0)) }
  }
}
