internal import Triton

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
  /// The answer's tensors.
  public var answer: Answer

  /// The names of the answer's tensors; see `ModelContract.Answer`.
  public enum Answer: Sendable, Hashable {
    case dense(entity: String, soHead: String, soTail: String)
    case compact(
      triples: String, scores: String, spans: String, spanScores: String, notFinite: String)

    /// The network's own names.
    public static let dense = dense(entity: "entity", soHead: "so_head", soTail: "so_tail")
    /// The names that `spo_decode` gives.
    public static let compact = compact(
      triples: "triples", scores: "scores", spans: "spans", spanScores: "span_scores",
      notFinite: "not_finite")
  }

  /// A mapping of roles to names.
  public init(
    sampleID: String? = nil, tokenIDs: String, tokenTypes: String?, mask: String, answer: Answer
  ) {
    (self.sampleID, self.tokenIDs, self.tokenTypes) = (sampleID, tokenIDs, tokenTypes)
    (self.mask, self.answer) = (mask, answer)
  }

  /// The names of the network's own tensors, with the sample id or without.
  public static func semantic(_ answer: Answer = .dense, sampleID: String? = nil) -> TensorNames {
    TensorNames(
      sampleID: sampleID, tokenIDs: "input_ids", tokenTypes: "token_type_ids",
      mask: "attention_mask", answer: answer)
  }

  /// `INPUT_0`… with one underscore (TorchScript's) or two (the talk's ONNX export).
  public static func numbered(_ separator: String, _ answer: Answer? = nil) -> TensorNames {
    func output(_ place: Int) -> String { "OUTPUT\(separator)\(place)" }
    return TensorNames(
      sampleID: "INPUT\(separator)0", tokenIDs: "INPUT\(separator)1",
      tokenTypes: "INPUT\(separator)2", mask: "INPUT\(separator)3",
      answer: answer ?? .dense(entity: output(1), soHead: output(2), soTail: output(3)))
  }

  /// The answer of a compact export: TorchScript wants places at the ends of names.
  private static let placed = Answer.compact(
    triples: "triples__1", scores: "scores__2", spans: "spans__3", spanScores: "span_scores__4",
    notFinite: "not_finite__5")

  /// Every naming that is tried when the user gives none.
  public static let known = [
    semantic(), semantic(sampleID: "p_ids"), numbered("_"), numbered("__"),
    semantic(.compact, sampleID: "p_ids"), semantic(.compact), numbered("__", placed),
    numbered("_", placed),
  ]

  /// Reads `ids=NAME,types=NAME,mask=NAME,entity=NAME,so_head=NAME,so_tail=NAME[,sample=NAME]`, or
  /// with `triples=…,scores=…,spans=…,span_scores=…,not_finite=…` for a compact model.
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
    let isCompact = Self.compactRoles.contains { roles[$0] != nil }
    self.init(
      sampleID: roles["sample"], tokenIDs: try required("ids"), tokenTypes: roles["types"],
      mask: try required("mask"),
      answer: isCompact
        ? .compact(
          triples: try required("triples"), scores: try required("scores"),
          spans: try required("spans"), spanScores: try required("span_scores"),
          notFinite: try required("not_finite"))
        : .dense(
          entity: try required("entity"), soHead: try required("so_head"),
          soTail: try required("so_tail")))
  }

  private static let compactRoles = ["triples", "scores", "spans", "span_scores", "not_finite"]
  private static let roles =
    ["sample", "ids", "types", "mask", "entity", "so_head", "so_tail"] + compactRoles

  private static func fault(_ what: String) -> TritonError {
    TritonError(code: .invalidRequest, message: "the tensor mapping is wrong: \(what)")
  }
}

extension TensorNames {
  var inputs: [String] { [sampleID, tokenIDs, tokenTypes, mask].compactMap(\.self) }

  var outputs: [String] {
    switch answer {
    case .dense(let entity, let soHead, let soTail): [entity, soHead, soTail]
    case .compact(let triples, let scores, let spans, let spanScores, let notFinite):
      [triples, scores, spans, spanScores, notFinite]
    }
  }

  /// Whether a model has these tensors and asks for no others.
  func covers(_ metadata: ModelMetadata) -> Bool {
    Set(metadata.inputs.map(\.name)) == Set(inputs)
      && Set(outputs).isSubset(of: metadata.outputs.map(\.name))
  }
}
