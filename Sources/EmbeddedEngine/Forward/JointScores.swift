internal import GlobalPointer
internal import Inference

extension JointModel {
  /// The four logits of each query in one sentence, each from its own two tokens.
  func scores(
    of queries: [TripleQuery], _ sentence: PackedSentences, _ workspace: Workspace,
    checkpoint: () throws -> Void
  ) throws -> [ScoreParts] {
    let hidden = try encoder.forward(sentence, workspace, checkpoint: checkpoint)
    let width = encoder.configuration.hiddenSize
    func logit(
      _ head: PointerHead, _ index: Int, _ row: Int32, _ column: Int32
    ) throws -> Float {
      let grids = try PairGrids(
        head, hidden, sentence, [(0, [row])], [(0, [column])], width: width, workspace,
        workspace.heads)
      var grid: [Float] = []
      grids.grid(0, head: index, into: &grid)
      guard grid[0].isFinite else {
        throw InferenceError(
          code: .badLogits, message: "a logit of the query is \(grid[0]), expected a number",
          row: 0)
      }
      return grid[0]
    }
    return try queries.map { query in
      try checkpoint()
      let (s, o, p) = (query.subject, query.object, query.predicate)
      return ScoreParts(
        subject: try logit(entity, 0, s.start, s.end),
        object: try logit(entity, 1, o.start, o.end),
        head: try logit(soHead, p, s.start, o.start), tail: try logit(soTail, p, s.end, o.end))
    }
  }

  /// Every logit of one sentence of n tokens, unmasked: entity [2, n, n], so_head and so_tail
  /// [P, n, n]. The naive twin of `infer`; what a dense export would answer.
  func dense(
    _ sentence: PackedSentences, _ workspace: Workspace
  ) throws -> (entity: [Float], head: [Float], tail: [Float]) {
    let hidden = try encoder.forward(sentence, workspace, checkpoint: {})
    let tokens = Array(0..<Int32(sentence.tokenCount))
    let results = try [entity, soHead, soTail].map { head in
      let grids = try PairGrids(
        head, hidden, sentence, [(0, tokens)], [(0, tokens)],
        width: encoder.configuration.hiddenSize, workspace, workspace.heads)
      return (0..<head.heads).flatMap { index in
        var grid: [Float] = []
        grids.grid(0, head: index, into: &grid)
        return grid
      }
    }
    return (results[0], results[1], results[2])
  }
}
