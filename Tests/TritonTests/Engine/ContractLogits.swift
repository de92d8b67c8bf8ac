import GlobalPointer

/// The logits of the test models, computed as `Models/spo_semantic/1/model.py` says.
struct ContractLogits {
  static let predicates = 3
  let ids: [Int32]
  let length: Int

  private func logit(_ channel: Int, _ m: Int, _ n: Int, from offset: Int, hides: Bool) -> Float {
    if m >= ids.count || n >= ids.count || hides { return -10_000 }
    let hash = 31 * Int(ids[m]) + 17 * Int(ids[n]) + 101 * channel + 7 * m + 3 * n
    return Float(hash % 97 - offset) / 2
  }

  private func tensor(_ channels: Range<Int>, from offset: Int, triangle: Bool) -> [Float] {
    channels.flatMap { channel in
      (0..<length).flatMap { m in
        (0..<length).map { n in
          logit(channel, m, n, from: offset, hides: triangle && m > n)
        }
      }
    }
  }

  /// What decoding the three dense tensors gives.
  func decoded(threshold: Float) throws -> SentenceCandidates {
    let p = Self.predicates
    let entity = tensor(0..<2, from: 88, triangle: true)
    let head = tensor(2..<2 + p, from: 60, triangle: false)
    let tail = tensor(2 + p..<2 + 2 * p, from: 60, triangle: false)
    let pairs = LogitLayout.dense(heads: p, length: length)
    return try decodeDense(
      entity: entity.span, .dense(heads: 2, length: length), head: head.span, pairs,
      tail: tail.span, pairs, predicates: p, realTokens: ids.count, threshold: threshold)
  }
}
