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
  /// Where each document's pieces begin, and the end.
  private let bounds: [Int]
  private var answers: [Result<SentenceCandidates, InferenceError>]

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
    bounds = windows.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }
    let nothing = SentenceCandidates(subjects: [], objects: [], triples: [])
    answers = Array(repeating: .success(nothing), count: pieces.count)
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

  /// Runs every piece that has tokens, as many batches at once as the engine wants.
  mutating func infer() async throws {
    let busy = pieces.indices.filter { !pieces[$0].tokens.isEmpty }
    let plan = extractor.planning.plan(lengths: busy.map { pieces[$0].length })
    var batches = plan[...]
    let snapshot = self
    try await withThrowingTaskGroup(of: [(Int, Result<SentenceCandidates, InferenceError>)].self) {
      group in
      func addNext() {
        guard let batch = batches.popFirst() else { return }
        let pieces = batch.sentences.map { busy[$0] }
        group.addTask { try await snapshot.run(pieces, length: batch.length) }
      }
      for _ in 0..<extractor.engine.limits.concurrency { addNext() }
      while let results = try await group.next() {
        for (piece, result) in results { answers[piece] = result }
        addNext()
      }
    }
  }

  /// One batch; a row that the engine refuses is set aside with its error, the others run again.
  private func run(
    _ batch: [Int], length: Int
  ) async throws -> [(Int, Result<SentenceCandidates, InferenceError>)] {
    var left = batch
    var done: [(Int, Result<SentenceCandidates, InferenceError>)] = []
    while !left.isEmpty {
      do {
        let request = request(left, length)
        let results = try await extractor.gate.pass {
          try await extractor.engine.infer(request, threshold: extractor.configuration.threshold)
        }
        return done + zip(left, results).map { ($0, .success($1)) }
      } catch let error as InferenceError {
        guard let row = error.row, left.indices.contains(row) else { throw error }
        done.append((left.remove(at: row), .failure(error)))
      }
    }
    return done
  }

  private func request(_ batch: [Int], _ length: Int) -> InferenceBatch {
    var request = InferenceBatch()
    request.paddedLength = length
    let vocabulary = extractor.tokenizer.vocabulary
    for piece in batch.map({ pieces[$0] }) {
      let first = encodings.rowStarts[piece.document] + 1
      let body = encodings.ids[first + piece.tokens.lowerBound..<first + piece.tokens.upperBound]
      request.append([vocabulary.classifier] + body + [vocabulary.separator])
    }
    return request
  }

  /// The finished extraction of one document.
  func extraction(_ document: Int, index: Int) -> Extraction {
    Extraction(
      index: index, text: texts[document],
      result: Result { () throws(InferenceError) in
        try triples(document)
      }, windows: windows[document].count)
  }

  private func triples(_ document: Int) throws(InferenceError) -> [Triple] {
    var found: [WindowedTriple] = []
    for place in bounds[document]..<bounds[document + 1] {
      let piece = pieces[place]
      for triple in try answers[place].get().triples where keeps(triple.predicate) {
        let moved = triple.moved(by: piece.tokens.lowerBound - 1)
        found.append(WindowedTriple(candidate: moved, window: piece.window))
      }
    }
    let merger = WindowMerger(
      windows: windows[document],
      count: encodings.rowStarts[document + 1] - encodings.rowStarts[document] - 2)
    let resolver = TripleResolver(
      schema: extractor.schema, text: texts[document], encodings: encodings,
      firstToken: encodings.rowStarts[document] + 1,
      temperature: extractor.configuration.temperature)
    return merger.merge(found).map(resolver.resolve).sorted(by: Triple.precedes)
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

/// Token indices of one document to the source's own characters.
struct TripleResolver {
  let schema: RelationSchema
  let text: String
  let encodings: EncodingBatch
  let firstToken: Int
  let temperature: Float

  func resolve(_ candidate: TripleCandidate) -> Triple {
    let predicate = schema.predicates[candidate.predicate]
    return Triple(
      subject: mention(candidate.subject), predicate: predicate.name,
      predicateID: candidate.predicate, object: mention(candidate.object),
      types: predicate.types.count == 1 ? predicate.types[0] : nil, parts: candidate.parts,
      temperature: temperature)
  }

  private func mention(_ span: TokenSpan) -> Mention {
    let start = Int(encodings.starts[firstToken + Int(span.start)])
    let end = Int(encodings.ends[firstToken + Int(span.end)])
    let utf8 = text.utf8
    let slice = utf8[
      utf8.index(utf8.startIndex, offsetBy: start)..<utf8.index(utf8.startIndex, offsetBy: end)]
    return Mention(text: String(Substring(slice)), range: start..<end)
  }
}
