internal import Inference

/// What a stream does between its source and its consumer: chunks of documents are tokenized, their
/// sentences go through the engine in batches, and what comes back completes the chunks.
struct StreamWork<Document: Sendable>: Sendable {
  typealias State = StreamState<Document>
  typealias Shared = Monitor<State, Side>

  /// Who waits on the state.
  enum Side { case reader, pump, consumer }

  let extractor: RelationExtractor
  let text: @Sendable (Document) -> String?
  let monitor: Shared

  init(extractor: RelationExtractor, text: @escaping @Sendable (Document) -> String?) {
    (self.extractor, self.text) = (extractor, text)
    let depth = StreamDepth(extractor.engine.limits, extractor.configuration)
    monitor = Monitor(StreamState(depth))
  }

  /// Starts what there is to do, until all is done or the task is cancelled.
  func pump(_ group: inout DiscardingTaskGroup) async {
    while await monitor.wait(.pump, until: { $0.step != .wait }) {
      switch monitor.change({ $0.step }) {
      case .chunk:
        let taken = monitor.change { $0.takeChunk() }
        group.addTask { tokenize(taken) }
      case .batch, .partial:
        guard let batch = monitor.change({ $0.takeBatch() }) else { continue }
        group.addTask { await infer(batch) }
      case .settle:
        monitor.change { $0.settle() }
        await Task.yield()
      case .wait: continue
      case .end: return
      }
    }
  }

  private func tokenize(
    _ taken: (number: Int, documents: [Document], first: Int, end: ReadPosition)
  ) {
    let chunk = Chunk(
      extractor, taken.documents, number: taken.number, from: taken.first, text)
    let sentences = chunk.sentences
    let padded = extractor.planning.padded(lengths: sentences.map(\.length))
    let answer = chunk.answerWithoutSentences
    monitor.change { state in
      state.submit(sentences.map(\.sentence), padded: padded, at: taken.end)
      if let answer { state.answered(chunk.number, answer) }
    }
  }

  private func infer(_ batch: State.Batch) async {
    var request = InferenceBatch()
    request.paddedLength = batch.length
    for sentence in batch.sentences {
      sentence.chunk.reading.append(sentence.place, to: &request)
    }
    let result: Result<[BatchReading.Outcome], any Error>
    do {
      result = .success(
        try await SentenceRunner(extractor: extractor).outcomes(of: request))
    } catch {
      result = .failure(error)
    }
    // The engine's room is given back before the answers are made of what came.
    let depth = StreamDepth(extractor.engine.limits, extractor.configuration)
    if extractor.limiter.limit != depth.limits.concurrency {
      extractor.limiter.limit = depth.limits.concurrency
    }
    monitor.change { $0.returned(depth) }
    let chunks = Dictionary(grouping: batch.sentences.indices) { batch.sentences[$0].chunk.number }
    for rows in chunks.values { complete(batch, rows, result) }
  }

  /// Gives a chunk its part of what came back.
  private func complete(
    _ batch: State.Batch, _ rows: [Int], _ result: Result<[BatchReading.Outcome], any Error>
  ) {
    let chunk = batch.sentences[rows[0]].chunk
    let answer =
      switch result {
      case .success(let outcomes):
        chunk.complete(rows.map { (batch.sentences[$0].place, outcomes[$0]) })
      case .failure(let error): chunk.fail(rows.count, error)
      }
    if let answer { monitor.change { $0.answered(chunk.number, answer) } }
  }
}
