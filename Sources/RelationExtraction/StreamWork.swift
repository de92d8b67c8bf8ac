internal import Inference

/// What a stream does between its source and its consumer: chunks of documents are tokenized, their
/// sentences go through the engine in batches, and what comes back completes the chunks.
struct StreamWork: Sendable {
  typealias Shared = Monitor<StreamState, Side>

  /// Who waits on the state.
  enum Side { case reader, pump, consumer }

  let extractor: RelationExtractor
  let monitor: Shared

  init(extractor: RelationExtractor) {
    self.extractor = extractor
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

  private func tokenize(_ taken: TakenChunk) {
    let chunk = Chunk(extractor, taken.texts.compactMap(\.self), number: taken.number)
    let sentences = chunk.sentences
    let padded = extractor.planning.padded(lengths: sentences.map(\.length))
    let answer = chunk.answerWithoutSentences
    monitor.change { state in
      state.submit(sentences.map(\.sentence), padded: padded, at: taken.end)
      if let answer { state.answered(chunk.number, answer) }
    }
  }

  private func infer(_ batch: StreamState.Batch) async {
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
    complete(batch.sentences, result)
  }

  /// Gives each chunk its part of what came back.
  private func complete(
    _ sentences: [Chunk.Sentence], _ result: Result<[BatchReading.Outcome], any Error>
  ) {
    let chunks = Dictionary(grouping: sentences.indices) { sentences[$0].chunk.number }
    for rows in chunks.values {
      let chunk = sentences[rows[0]].chunk
      let part = result.map { outcomes in rows.map { outcomes[$0] } }
      if let answer = chunk.complete(rows.map { sentences[$0].place }, part) {
        monitor.change { $0.answered(chunk.number, answer) }
      }
    }
  }
}
