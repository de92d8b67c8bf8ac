internal import GlobalPointer
internal import WordPiece

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
