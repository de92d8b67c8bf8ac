public import GlobalPointer
internal import Inference
internal import WordPiece

/// Why one named triple is, or is not, in the answer.
public struct Explanation: Sendable, Hashable {
  /// What was found for one subject and one object occurrence.
  public enum Finding: Sendable, Hashable {
    /// The four logits; the triple is in the answer iff all are above the threshold.
    case scored(ScoreParts)
    /// No logit exists for it, and the reason.
    case impossible(String)
  }

  /// The subject's bytes in the text, where it occurs.
  public var subject: Range<Int>?
  /// The object's bytes in the text, where it occurs.
  public var object: Range<Int>?
  /// What was found.
  public var finding: Finding
}

extension RelationExtractor {
  /// Scores every pair of occurrences of the two strings under the predicate.
  ///
  /// A pair is impossible when a string does not occur, when an edge falls inside a token, or
  /// when the two are further apart than a window is long.
  public func explain(
    _ text: String, subject: String, predicate: String, object: String
  ) async throws -> [Explanation] {
    guard let id = schema.id(of: predicate) else {
      throw SchemaError.unknownPredicate(predicate, known: schema.predicates.map(\.name))
    }
    let subjects = occurrences(of: subject, in: text)
    let objects = occurrences(of: object, in: text)
    for (name, found) in [(subject, subjects), (object, objects)] where found.isEmpty {
      let reason = "\(name) does not occur in the text"
      return [Explanation(subject: nil, object: nil, finding: .impossible(reason))]
    }
    let aligner = TokenAligner(encoding: tokenizer.encode(text), text: text)
    var explanations: [Explanation] = []
    for s in subjects {
      for o in objects {
        let finding = try await score(id, s, o, aligner)
        explanations.append(Explanation(subject: s, object: o, finding: finding))
      }
    }
    return explanations
  }

  private func score(
    _ predicate: Int, _ subject: Range<Int>, _ object: Range<Int>, _ aligner: TokenAligner
  ) async throws -> Explanation.Finding {
    let spans: [TokenSpan]
    switch (aligner.span(subject), aligner.span(object)) {
    case (.success(let s), .success(let o)): spans = [s, o]
    case (.failure(let reason), _), (_, .failure(let reason)): return .impossible(reason.text)
    }
    let ids = aligner.encoding.ids
    let first = Int(spans.map(\.start).min() ?? 1)
    let last = Int(spans.map(\.end).max() ?? 1)
    let capacity = engine.shape.maximumTokens - 2
    guard last - first < capacity else {
      return .impossible(
        "the two are \(last - first + 1) tokens apart, a window holds \(capacity)")
    }
    // The window that centres the pair; the whole text where it fits.
    let slack = capacity - (last - first + 1)
    let from = max(1, min(first - slack / 2, ids.count - 1 - capacity))
    let to = min(ids.count - 1, from + capacity)
    let window = [ids[0]] + ids[from..<to] + [ids[ids.count - 1]]
    let moved = spans.map {
      TokenSpan(start: Int($0.start) - from + 1, end: Int($0.end) - from + 1)
    }
    let query = TripleQuery(predicate: predicate, subject: moved[0], object: moved[1])
    return .scored(try await engine.scores(of: [query], in: window)[0])
  }

  private func occurrences(of part: String, in text: String) -> [Range<Int>] {
    let (bytes, needle) = (Array(text.utf8), Array(part.utf8))
    guard !needle.isEmpty, bytes.count >= needle.count else { return [] }
    return (0...bytes.count - needle.count)
      .filter { bytes[$0..<$0 + needle.count].elementsEqual(needle) }
      .map { $0..<$0 + needle.count }
  }
}

/// Byte ranges of a text to token spans.
struct TokenAligner {
  struct Misfit: Error { let text: String }

  let encoding: Encoding
  let text: String

  /// The tokens that are exactly these bytes.
  func span(_ range: Range<Int>) -> Result<TokenSpan, Misfit> {
    let tokens = encoding.offsets.indices.dropFirst().dropLast()
    let inside = tokens.filter { encoding.offsets[$0].overlaps(range) }
    guard let first = inside.first, let last = inside.last else {
      return .failure(Misfit(text: "\(name(range)) has no tokens: the model does not see it"))
    }
    let (start, end) = (encoding.offsets[first].lowerBound, encoding.offsets[last].upperBound)
    guard start == range.lowerBound, end == range.upperBound else {
      let token = start != range.lowerBound ? encoding.offsets[first] : encoding.offsets[last]
      return .failure(
        Misfit(text: "an edge of \(name(range)) falls inside the token \(name(token))"))
    }
    return .success(TokenSpan(start: first, end: last))
  }

  private func name(_ range: Range<Int>) -> String {
    String(decoding: Array(text.utf8)[range], as: UTF8.self)
  }
}
