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

  typealias Outcome = SentenceRunner.Outcome
  /// A document's triples, or why it has none, and in how many windows it was read.
  typealias DocumentResult = (triples: Result<[Triple], InferenceError>, windows: Int)

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
  func results() async throws -> [DocumentResult] {
    let busy = pieces.indices.filter { !isEmpty($0) }
    let plan = extractor.planning.plan(lengths: busy.map(length))
    let runner = SentenceRunner(extractor: extractor)
    var outcomes = nothing
    try await withThrowingTaskGroup(of: ([Int], [Outcome]).self) { group in
      for batch in plan {
        let pieces = batch.sentences.map { busy[$0] }
        var request = InferenceBatch()
        request.paddedLength = batch.length
        for piece in pieces { append(piece, to: &request) }
        group.addTask { [request] in (pieces, try await runner.outcomes(of: request)) }
      }
      for try await (pieces, results) in group {
        for (piece, result) in zip(pieces, results) { outcomes[piece] = result }
      }
    }
    return results(outcomes)
  }

  /// The outcomes of as many sentences without a token.
  var nothing: [Outcome] {
    Array(
      repeating: .success(SentenceCandidates(subjects: [], objects: [], triples: [])),
      count: pieces.count)
  }

  /// Sentences of all documents, each to be read by itself.
  var sentences: Range<Int> { pieces.indices }

  /// Whether a sentence has no token, so that nothing need be asked.
  func isEmpty(_ sentence: Int) -> Bool { pieces[sentence].tokens.isEmpty }

  /// The tokens of a sentence, `[CLS]` and `[SEP]` too.
  func length(_ sentence: Int) -> Int { pieces[sentence].length }

  /// What the sentences' outcomes, in order, make of the documents.
  func results(_ outcomes: [Outcome]) -> [DocumentResult] {
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

  /// Makes a sentence the next row of a batch.
  func append(_ sentence: Int, to request: inout InferenceBatch) {
    let piece = pieces[sentence]
    let row = encodings.rowStarts[piece.document]..<encodings.rowStarts[piece.document + 1]
    if piece.length == row.count {
      request.append(encodings.ids[row])
    } else {
      let vocabulary = extractor.tokenizer.vocabulary
      let first = row.lowerBound + 1
      let body = encodings.ids[first + piece.tokens.lowerBound..<first + piece.tokens.upperBound]
      request.append([vocabulary.classifier] + body + [vocabulary.separator])
    }
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
