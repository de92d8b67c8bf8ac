internal import Inference
internal import Synchronization

/// Documents that were taken from a stream together, on their way through the engine. Their
/// sentences share batches with those of other chunks; the last one that comes back completes it.
final class Chunk<Document: Sendable>: Sendable {
  /// What the stream gives of it; the failure is none of a document's own.
  typealias Answer = Result<[Extraction<Document>], any Error>

  /// A sentence of a chunk: what a batch is made of.
  struct Sentence: Sendable {
    let chunk: Chunk
    let place: Int
  }

  /// Its place among the stream's chunks.
  let number: Int
  let reading: BatchReading
  private let documents: [Document]
  private let texts: [String?]
  private let first: Int
  private let state: Mutex<State>

  private struct State {
    var outcomes: [BatchReading.Outcome]
    /// Sentences that have not come back.
    var missing: Int
    var failure: (any Error)?
  }

  init(
    _ extractor: RelationExtractor, _ documents: [Document], number: Int, from first: Int,
    _ text: (Document) -> String?
  ) {
    (self.documents, self.number, self.first) = (documents, number, first)
    texts = documents.map(text)
    reading = BatchReading(extractor: extractor, texts: texts.compactMap(\.self))
    let missing = reading.sentences.count { [reading] in !reading.isEmpty($0) }
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
    state.withLock { $0.missing == 0 ? $0.outcomes : nil }.map(answer)
  }

  /// Takes what came back of some sentences; returns the answer with the last of them.
  func complete(_ outcomes: [(place: Int, outcome: BatchReading.Outcome)]) -> Answer? {
    finish(outcomes.count) { state in
      for (place, outcome) in outcomes { state.outcomes[place] = outcome }
    }
  }

  /// Takes note that some sentences do not come back.
  func fail(_ sentences: Int, _ failure: any Error) -> Answer? {
    finish(sentences) { $0.failure = $0.failure ?? failure }
  }

  private func finish(_ count: Int, _ change: (inout State) -> Void) -> Answer? {
    let (outcomes, failure): ([BatchReading.Outcome]?, (any Error)?) = state.withLock { state in
      change(&state)
      state.missing -= count
      return state.missing == 0 ? (state.outcomes, state.failure) : (nil, nil)
    }
    if let failure { return .failure(failure) }
    return outcomes.map(answer)
  }

  private func answer(_ outcomes: [BatchReading.Outcome]) -> Answer {
    .success(
      RelationExtractor.extractions(documents, texts, reading.results(outcomes), from: first))
  }
}
