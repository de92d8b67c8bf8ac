internal import GlobalPointer
internal import Inference
internal import WordPiece

/// A few documents on their way through the engine: tokens, windows, batches, candidates.
struct BatchReading {
  private let extractor: RelationExtractor
  private let texts: [String]
  private let encodings: EncodingBatch
  private let windows: [[Window]]
  /// All windows of all documents, in order; the unit of batching.
  private let pieces: [Piece]

  private typealias Outcome = SentenceRunner.Outcome

  private struct Piece {
    let document: Int
    let window: Int
    let tokens: Range<Int>
    var length: Int { tokens.count + 2 }
  }

  init(extractor: RelationExtractor, texts: [String]) {
    (self.extractor, self.texts) = (extractor, texts)
    var encodings = EncodingBatch()
    let begin = ContinuousClock.now
    extractor.tokenizer.encode(texts, into: &encodings)
    extractor.planning.tokenized(in: .now - begin)
    self.encodings = encodings
    let planner = WindowPlanner(
      capacity: extractor.engine.shape.maximumTokens - 2,
      overlap: extractor.configuration.windowOverlap)
    windows = texts.indices.map { Self.windows(of: $0, texts, encodings, planner) }
    pieces = windows.enumerated().flatMap { document, windows in
      windows.enumerated().map {
        Piece(document: document, window: $0.offset, tokens: $0.element.tokens)
      }
    }
  }

  private static func windows(
    of document: Int, _ texts: [String], _ encodings: EncodingBatch, _ planner: WindowPlanner
  ) -> [Window] {
    let row = encodings.rowStarts[document]
    let count = encodings.rowStarts[document + 1] - row - 2
    if count <= planner.capacity { return [Window(tokens: 0..<count)] }
    let bytes = Array(texts[document].utf8)
    return planner.plan(count: count) { token in
      let place = row + 1 + token
      let range = Int(encodings.starts[place])..<Int(encodings.ends[place])
      return isSentenceEnd(bytes[range])
    }
  }

  /// Every document's triples, or why it has none, and in how many windows it was read.
  func results() async throws -> [(triples: Result<[Triple], InferenceError>, windows: Int)] {
    let outcomes = try await outcomes()
    var first = 0
    return texts.indices.map { document in
      let end = first + windows[document].count
      defer { first = end }
      let triples = Result { () throws(InferenceError) -> [Triple] in
        try self.triples(document, pieces[first..<end], outcomes[first..<end])
      }
      return (triples, windows[document].count)
    }
  }

  /// Runs every piece that has tokens; the limiter decides how many batches run at once.
  private func outcomes() async throws -> [Outcome] {
    let nothing = SentenceCandidates(subjects: [], objects: [], triples: [])
    var outcomes = Array(repeating: Outcome.success(nothing), count: pieces.count)
    let busy = pieces.indices.filter { !pieces[$0].tokens.isEmpty }
    let plan = extractor.planning.plan(lengths: busy.map { pieces[$0].length })
    let runner = SentenceRunner(extractor: extractor)
    try await withThrowingTaskGroup(of: ([Int], [Outcome]).self) { group in
      for batch in plan {
        let pieces = batch.sentences.map { busy[$0] }
        let request = request(pieces, length: batch.length)
        group.addTask { (pieces, try await runner.outcomes(of: request)) }
      }
      for try await (pieces, results) in group {
        for (piece, result) in zip(pieces, results) { outcomes[piece] = result }
      }
    }
    return outcomes
  }

  private func request(_ batch: [Int], length: Int) -> InferenceBatch {
    var request = InferenceBatch()
    request.paddedLength = length
    let vocabulary = extractor.tokenizer.vocabulary
    for piece in batch.map({ pieces[$0] }) {
      let row = encodings.rowStarts[piece.document]..<encodings.rowStarts[piece.document + 1]
      if piece.length == row.count {
        request.append(encodings.ids[row])
      } else {
        let first = row.lowerBound + 1
        let body = encodings.ids[first + piece.tokens.lowerBound..<first + piece.tokens.upperBound]
        request.append([vocabulary.classifier] + body + [vocabulary.separator])
      }
    }
    return request
  }

  private func triples(
    _ document: Int, _ pieces: ArraySlice<Piece>, _ outcomes: ArraySlice<Outcome>
  ) throws(InferenceError) -> [Triple] {
    var found: [WindowedTriple] = []
    for (piece, outcome) in zip(pieces, outcomes) {
      for triple in try outcome.get().triples where keeps(triple.predicate) {
        let moved = triple.moved(by: piece.tokens.lowerBound - 1)
        found.append(WindowedTriple(candidate: moved, window: piece.window))
      }
    }
    let row = encodings.rowStarts[document]
    let resolver = TripleResolver(
      schema: extractor.schema, text: texts[document], encodings: encodings, firstToken: row + 1,
      temperature: extractor.configuration.temperature)
    let merged =
      windows[document].count == 1
      ? found.map(\.candidate)
      : WindowMerger(windows: windows[document], count: encodings.rowStarts[document + 1] - row - 2)
        .merge(found)
    return merged.map(resolver.resolve).sorted(by: Triple.precedes)
  }

  private func keeps(_ predicate: Int) -> Bool {
    extractor.configuration.predicates?.contains(predicate) ?? true
  }
}

extension TripleCandidate {
  /// The same triple with its tokens renumbered.
  fileprivate func moved(by distance: Int) -> TripleCandidate {
    func move(_ span: TokenSpan) -> TokenSpan {
      TokenSpan(start: Int(span.start) + distance, end: Int(span.end) + distance)
    }
    return TripleCandidate(
      predicate: predicate, subject: move(subject), object: move(object), parts: parts)
  }
}
