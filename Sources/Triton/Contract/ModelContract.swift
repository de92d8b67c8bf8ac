/// The tensors of a served relation model by the role they play, as the server describes them.
///
/// ids, types and mask are [B, L]; entity is [B, 2, L, L], so_head and so_tail [B, P, L, L]. The
/// sample id, where a model has one, is [B, 1] and comes back.
public struct ModelContract: Sendable, Hashable {
  /// The model's name.
  public var model: String
  /// The version that is asked for; empty lets the server choose.
  public var version: String
  /// The sample id, echoed; nil for models without one.
  public var sampleID: Tensor?
  /// Token ids.
  public var tokenIDs: Tensor
  /// Token types, all 0; nil for models without them.
  public var tokenTypes: Tensor?
  /// 1 for a real token, 0 for padding.
  public var mask: Tensor
  /// Entity logits.
  public var entity: Tensor
  /// Head logits.
  public var soHead: Tensor
  /// Tail logits.
  public var soTail: Tensor
  /// The most rows of one request; 1 when the model does not batch.
  public var maxBatchSize: Int
  /// Whether the first dimension is a batch at all.
  public var batches: Bool
  /// P, where the configuration fixes it; the schema decides otherwise.
  public var predicates: Int?
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

  /// Bytes of one sentence's dense answer at L tokens.
  public func answerBytes(tokens: Int, predicates: Int) -> Int {
    let cells = tokens * tokens
    let entity = 2 * cells * (self.entity.datatype.byteCount ?? 4)
    let heads = predicates * cells * (soHead.datatype.byteCount ?? 4)
    let tails = predicates * cells * (soTail.datatype.byteCount ?? 4)
    return entity + heads + tails
  }

  /// Rows of L tokens whose answer stays below a limit of bytes and the model's batch size.
  public func rows(tokens: Int, predicates: Int, within bytes: Int) -> Int {
    min(maxBatchSize, bytes / max(answerBytes(tokens: tokens, predicates: predicates), 1))
  }
}

/// Which tensor plays which role; a nil name is not there.
public struct TensorNames: Sendable, Hashable {
  /// The sample id; nil for models without one.
  public var sampleID: String?
  /// Token ids.
  public var tokenIDs: String
  /// Token types; nil for models without them.
  public var tokenTypes: String?
  /// 1 for a real token, 0 for padding.
  public var mask: String
  /// Entity logits.
  public var entity: String
  /// Head logits.
  public var soHead: String
  /// Tail logits.
  public var soTail: String

  /// A mapping of roles to names.
  public init(
    sampleID: String? = nil, tokenIDs: String, tokenTypes: String?, mask: String, entity: String,
    soHead: String, soTail: String
  ) {
    (self.sampleID, self.tokenIDs, self.tokenTypes) = (sampleID, tokenIDs, tokenTypes)
    (self.mask, self.entity, self.soHead, self.soTail) = (mask, entity, soHead, soTail)
  }

  /// The names of the network's own tensors.
  public static let semantic = TensorNames(
    tokenIDs: "input_ids", tokenTypes: "token_type_ids", mask: "attention_mask",
    entity: "entity", soHead: "so_head", soTail: "so_tail")

  /// `INPUT_0`… with one underscore (TorchScript's) or two (the talk's ONNX export).
  public static func numbered(_ separator: String) -> TensorNames {
    TensorNames(
      sampleID: "INPUT\(separator)0", tokenIDs: "INPUT\(separator)1",
      tokenTypes: "INPUT\(separator)2", mask: "INPUT\(separator)3",
      entity: "OUTPUT\(separator)1", soHead: "OUTPUT\(separator)2", soTail: "OUTPUT\(separator)3")
  }

  /// Every naming that is tried when the user gives none.
  public static let known = [semantic, numbered("_"), numbered("__")]

  /// Reads `ids=NAME,types=NAME,mask=NAME,entity=NAME,so_head=NAME,so_tail=NAME[,sample=NAME]`.
  ///
  /// - Throws: `TritonError` naming what is missing or unknown.
  public init(parsing text: String) throws {
    var roles: [String: String] = [:]
    for pair in text.split(separator: ",") {
      let halves = pair.split(separator: "=", maxSplits: 1).map(String.init)
      guard halves.count == 2, Self.roles.contains(halves[0]) else {
        throw Self.fault("\"\(pair)\" is none of \(Self.roles.map { "\($0)=NAME" })")
      }
      roles[halves[0]] = halves[1]
    }
    func required(_ role: String) throws -> String {
      guard let name = roles[role] else { throw Self.fault("it names no \(role)") }
      return name
    }
    self.init(
      sampleID: roles["sample"], tokenIDs: try required("ids"), tokenTypes: roles["types"],
      mask: try required("mask"), entity: try required("entity"),
      soHead: try required("so_head"), soTail: try required("so_tail"))
  }

  private static let roles = ["sample", "ids", "types", "mask", "entity", "so_head", "so_tail"]

  private static func fault(_ what: String) -> TritonError {
    TritonError(code: .invalidRequest, message: "the tensor mapping is wrong: \(what)")
  }
}
