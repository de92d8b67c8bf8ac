public import Triton

/// The tensors of a served relation model by the role they play, as the server describes them.
///
/// ids, types and mask are [B, L]. The sample id, where a model has one, is [B, 1], or [B] of a model
/// without batching, and comes back.
public struct ModelContract: Sendable, Hashable {
  /// The model's name.
  public var model: String
  /// The version that is asked for; empty lets the server choose.
  public var version: String
  /// The version that answers, as the server told; nil when it told none. Answers of another one are
  /// refused: see `require(version:)`.
  public var servedVersion: String?
  /// The sample id, echoed; nil for models without one.
  public var sampleID: Tensor?
  /// Token ids.
  public var tokenIDs: Tensor
  /// Token types, all 0; nil for models without them.
  public var tokenTypes: Tensor?
  /// 1 for a real token, 0 for padding.
  public var mask: Tensor
  /// What it answers with.
  public var answer: Answer
  /// The most rows of one request; 1 when the model does not batch.
  public var maxBatchSize: Int
  /// Whether the first dimension is a batch at all.
  public var batches: Bool
  /// P, where the configuration fixes it; the schema decides otherwise.
  public var predicateCount: Int?
  /// L, where the configuration fixes it.
  public var tokens: Int?
  /// Instances that run side by side.
  public var instances: Int

  /// A tensor of the contract.
  public struct Tensor: Sendable, Hashable {
    /// Its name on the wire.
    public var name: String
    /// Its element type.
    public var datatype: Datatype
    /// Its dimensions behind the batch; -1 is free.
    public var dimensions: [Int]
  }

  /// The two kinds of answers.
  public enum Answer: Sendable, Hashable {
    /// All logits: the caller decodes.
    case dense(DenseTensors)
    /// The best spans and triples: decoded where the logits are.
    case compact(CompactTensors)
  }

  /// All logits of a sentence.
  public struct DenseTensors: Sendable, Hashable {
    /// Entity logits [B, 2, L, L].
    public var entity: Tensor
    /// Head logits [B, P, L, L].
    public var soHead: Tensor
    /// Tail logits [B, P, L, L].
    public var soTail: Tensor
  }

  /// A sentence's K best spans of each kind and its T best triples, with all their logits.
  public struct CompactTensors: Sendable, Hashable {
    /// Predicate, subject's first and last token, object's first and last token [B, T, 5].
    public var triples: Tensor
    /// Logits of subject, object, head and tail [B, T, 4], by falling minimum of the four.
    public var scores: Tensor
    /// First and last token of subjects (0) and objects (1) [B, 2, K, 2].
    public var spans: Tensor
    /// Their entity logits [B, 2, K], falling.
    public var spanScores: Tensor
    /// Entity logits that are not finite where a span could be [B, 1].
    public var notFinite: Tensor

    /// K, where the configuration fixes it.
    public var spanLimit: Int? { spans.dimensions[1] < 0 ? nil : spans.dimensions[1] }
    /// T, where the configuration fixes it.
    public var tripleLimit: Int? { triples.dimensions[0] < 0 ? nil : triples.dimensions[0] }
  }

  /// The answer's tensors.
  public var outputs: [Tensor] {
    switch answer {
    case .dense(let all): [all.entity, all.soHead, all.soTail]
    case .compact(let all): [all.triples, all.scores, all.spans, all.spanScores, all.notFinite]
    }
  }

  /// Whether the server decodes.
  public var isCompact: Bool { if case .compact = answer { true } else { false } }

  /// Bytes of one sentence's answer at L tokens; 0 where the configuration leaves K or T free,
  /// `Int.max` where they would overflow.
  public func answerBytes(tokens: Int, predicates: Int) -> Int {
    outputs.reduce(0) { sum, tensor in
      let size = tensor.datatype.byteCount ?? 4
      if case .dense(let dense) = answer {
        let heads = tensor == dense.entity ? 2 : predicates
        return saturatingSum(sum, saturatingProduct(heads, tokens, tokens, size))
      }
      // A free dimension is -1.
      let isFixed = tensor.dimensions.allSatisfy { $0 >= 0 }
      return isFixed ? saturatingSum(sum, saturatingProduct(tensor.dimensions + [size])) : sum
    }
  }

  /// Bytes of one sentence's logits, whether they are sent or stay in the server.
  func denseBytes(tokens: Int, predicates: Int) -> Int {
    isCompact
      ? saturatingProduct(4, 2 + 2 * predicates, tokens, tokens)
      : answerBytes(tokens: tokens, predicates: predicates)
  }

  /// Rows of L tokens whose answer stays below a limit of bytes and the model's batch size.
  public func rows(tokens: Int, predicates: Int, within bytes: Int) -> Int {
    min(maxBatchSize, bytes / max(answerBytes(tokens: tokens, predicates: predicates), 1))
  }
}
