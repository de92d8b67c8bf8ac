internal import GlobalPointer
internal import Inference
internal import Tensors
internal import RelationBundle

/// Encoder and heads: packed sentences to candidates.
struct JointModel: Sendable {
  let encoder: Encoder
  let entity, soHead, soTail: PointerHead
  /// Feature floats of one side of one product of the pair heads.
  let pairFloats: Int

  init(_ reader: WeightReader, _ configuration: ModelConfiguration, pairFloats: Int) throws {
    self.pairFloats = pairFloats
    encoder = try Encoder(reader, configuration)
    func head(_ name: String, _ head: ModelConfiguration.Head, _ count: Int) throws -> PointerHead {
      try PointerHead(
        reader, name, head, heads: count, hidden: configuration.hiddenSize,
        positions: configuration.maximumPositions)
    }
    entity = try head("entity", configuration.entity, 2)
    soHead = try head("so_head", configuration.soHead, configuration.predicateCount)
    soTail = try head("so_tail", configuration.soTail, configuration.predicateCount)
  }

  /// The candidates of every sentence; the pair heads are evaluated at candidate tokens only.
  func infer(
    _ sentences: PackedSentences, threshold: Float, _ workspace: Workspace,
    checkpoint: () throws -> Void
  ) throws -> (answers: [SentenceCandidates], times: StageTimes) {
    var clock = StageClock()
    let hidden = try encoder.forward(sentences, workspace, checkpoint: checkpoint)
    clock.finish(\.encoder)
    try checkpoint()
    var decoders = try entitySpans(hidden, sentences, threshold, workspace)
    clock.finish(\.entity)
    let busy = decoders.indices.filter { !decoders[$0].isEmpty }
    for group in pairGroups(busy, decoders) {
      try decodePairs(group, hidden, sentences, &decoders, workspace, checkpoint)
    }
    let answers = decoders.map { $0.finish() }
    clock.finish(\.pairs)
    return (answers, clock.times)
  }

  private func entitySpans(
    _ hidden: UnsafePointer<Float>, _ sentences: PackedSentences, _ threshold: Float,
    _ workspace: Workspace
  ) throws -> [PairDecoder] {
    let bounds = Array(zip(sentences.rows, sentences.rows.dropFirst()))
    let positions = bounds.flatMap { Array(0..<$1 - $0) }
    let rows = workspace.rowFeatures.reserve(positions.count * entity.featureCount)
    let columns = workspace.columnFeatures.reserve(positions.count * entity.featureCount)
    entity.project(hidden, positions: positions, role: .row, workspace, into: rows)
    entity.project(hidden, positions: positions, role: .column, workspace, into: columns)
    return try bounds.enumerated().map { index, bound in
      let (at, n) = (bound.0 * entity.featureCount, bound.1 - bound.0)
      let spans = try located(index) {
        try (0..<2).map { kind in
          let logits = workspace.scores.reserve(n * n)
          entity.matrix(
            head: kind, rows + at, columns + at, n: n, precision: encoder.productPrecision,
            workspace, into: logits)
          return try scanSpans(
            UnsafeBufferPointer(start: logits, count: n * n).span,
            // One head's matrix at a time, so every head lies at the same place.
            LogitLayout(offset: 0, headStride: 0, rowStride: n, columnStride: 1), head: kind,
            realTokens: n, threshold: threshold)
        }
      }
      return PairDecoder(subjects: spans[0], objects: spans[1], threshold: threshold)
    }
  }

  private func pairGroups(_ busy: [Int], _ decoders: [PairDecoder]) -> [[Int]] {
    let needs = busy.map { index in
      let decoder = decoders[index]
      return max(
        decoder.subjectStarts.count, decoder.objectStarts.count, decoder.subjectEnds.count,
        decoder.objectEnds.count)
    }
    let most = pairFloats / max(soHead.featureCount, soTail.featureCount)
    return Self.groups(needs, atMost: most).map { busy[$0] }.map(Array.init)
  }

  /// Neighbours taken together, so that their candidates share one product: ranges that need at
  /// most `most` candidate tokens each, but for one sentence that needs more by itself.
  static func groups(_ needs: [Int], atMost most: Int) -> [Range<Int>] {
    var groups: [Range<Int>] = []
    var (start, sum) = (0, 0)
    for (index, need) in needs.enumerated() {
      if index > start, sum + need > most {
        groups.append(start..<index)
        (start, sum) = (index, 0)
      }
      sum += need
    }
    return start < needs.count ? groups + [start..<needs.count] : groups
  }

  private func decodePairs(
    _ group: [Int], _ hidden: UnsafePointer<Float>, _ sentences: PackedSentences,
    _ decoders: inout [PairDecoder], _ workspace: Workspace, _ checkpoint: () throws -> Void
  ) throws {
    try checkpoint()
    let heads = PairGrids(
      soHead, hidden, sentences, group.map { ($0, decoders[$0].subjectStarts) },
      group.map { ($0, decoders[$0].objectStarts) }, width: encoder.configuration.hiddenSize,
      workspace)
    let tails = PairGrids(
      soTail, hidden, sentences, group.map { ($0, decoders[$0].subjectEnds) },
      group.map { ($0, decoders[$0].objectEnds) }, width: encoder.configuration.hiddenSize,
      workspace)
    var headGrid: [Float] = []
    var tailGrid: [Float] = []
    for (place, index) in group.enumerated() {
      try checkpoint()
      for predicate in 0..<soHead.heads {
        heads.grid(place, head: predicate, into: &headGrid)
        tails.grid(place, head: predicate, into: &tailGrid)
        try located(index) {
          try decoders[index].take(
            predicate: predicate, heads: headGrid.span, tails: tailGrid.span)
        }
      }
    }
  }

  /// Names the sentence in a decoding error.
  private func located<Result>(_ row: Int, _ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as DecodeError {
      throw InferenceError(
        code: .badLogits, message: error.description, row: row, cause: error)
    }
  }
}

/// The features of a pair head at the candidate tokens of several sentences.
private struct PairGrids {
  let head: PointerHead
  let rowFeatures: FloatBuffer
  let columnFeatures: FloatBuffer
  let rowBounds: [Int]
  let columnBounds: [Int]

  init(
    _ head: PointerHead, _ hidden: UnsafePointer<Float>, _ sentences: PackedSentences,
    _ rowTokens: [(Int, [Int32])], _ columnTokens: [(Int, [Int32])], width: Int,
    _ workspace: Workspace
  ) {
    self.head = head
    func features(_ tokens: [(Int, [Int32])], _ role: PointerHead.Role) -> FloatBuffer {
      let count = tokens.reduce(0) { $0 + $1.1.count }
      let gathered = workspace.gathered.reserve(count * width)
      var at = gathered
      for (sentence, places) in tokens {
        for place in places {
          at.update(
            from: hidden + (sentences.rows[sentence] + Int(place)) * width, count: width)
          at += width
        }
      }
      let buffer = FloatBuffer(capacity: count * head.featureCount)
      head.project(
        gathered, positions: tokens.flatMap { $0.1.map(Int.init) }, role: role, workspace,
        into: buffer.reserve(count * head.featureCount))
      return buffer
    }
    rowFeatures = features(rowTokens, .row)
    columnFeatures = features(columnTokens, .column)
    rowBounds = Self.bounds(rowTokens)
    columnBounds = Self.bounds(columnTokens)
  }

  private static func bounds(_ tokens: [(Int, [Int32])]) -> [Int] {
    tokens.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.1.count) }
  }

  /// One predicate's logits of the sentence at `place` of the group.
  func grid(_ place: Int, head index: Int, into grid: inout [Float]) {
    let (row, column) = (rowBounds[place], columnBounds[place])
    head.grid(
      head: index, rowFeatures.reserve(0) + row * head.featureCount,
      rows: rowBounds[place + 1] - row,
      columnFeatures.reserve(0) + column * head.featureCount,
      columns: columnBounds[place + 1] - column, into: &grid)
  }
}

extension JointModel {
  /// The four logits of each query in one sentence, each from its own two tokens.
  func scores(
    of queries: [TripleQuery], _ sentence: PackedSentences, _ workspace: Workspace,
    checkpoint: () throws -> Void
  ) throws -> [ScoreParts] {
    let hidden = try encoder.forward(sentence, workspace, checkpoint: checkpoint)
    let width = encoder.configuration.hiddenSize
    func logit(_ head: PointerHead, _ index: Int, _ row: Int32, _ column: Int32) -> Float {
      let grids = PairGrids(
        head, hidden, sentence, [(0, [row])], [(0, [column])], width: width, workspace)
      var grid: [Float] = []
      grids.grid(0, head: index, into: &grid)
      return grid[0]
    }
    return try queries.map { query in
      try checkpoint()
      let (s, o, p) = (query.subject, query.object, query.predicate)
      return ScoreParts(
        subject: logit(entity, 0, s.start, s.end), object: logit(entity, 1, o.start, o.end),
        head: logit(soHead, p, s.start, o.start), tail: logit(soTail, p, s.end, o.end))
    }
  }

  /// Every logit of one sentence of n tokens, unmasked: entity [2, n, n], so_head and so_tail
  /// [P, n, n]. The naive twin of `infer`; what a dense export would answer.
  func dense(
    _ sentence: PackedSentences, _ workspace: Workspace
  ) throws -> (entity: [Float], head: [Float], tail: [Float]) {
    let hidden = try encoder.forward(sentence, workspace, checkpoint: {})
    let tokens = Array(0..<Int32(sentence.tokenCount))
    let results = [entity, soHead, soTail].map { head in
      let grids = PairGrids(
        head, hidden, sentence, [(0, tokens)], [(0, tokens)],
        width: encoder.configuration.hiddenSize, workspace)
      return (0..<head.heads).flatMap { index in
        var grid: [Float] = []
        grids.grid(0, head: index, into: &grid)
        return grid
      }
    }
    return (results[0], results[1], results[2])
  }
}
