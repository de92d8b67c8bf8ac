// The JSON form of a triple. It has the members that `spo extract` writes, and those that a program
// needs to have the same value again: `predicate_id`, `parts`, `temperature`, and `offset_unit`,
// which is "utf8". Later versions of the form only add members.

extension String {
  /// The characters at a mention's place.
  ///
  /// Traps unless the place is within this text and begins and ends between Unicode scalars.
  public subscript(mention: Mention) -> Substring {
    guard let piece = piece(mention.range) else {
      preconditionFailure("a mention's place is one of its text")
    }
    return piece
  }

  /// The characters in a range of bytes; nil where it is not of this text or cuts a scalar.
  func piece(_ range: Range<Int>) -> Substring? {
    guard range.lowerBound >= 0, range.upperBound <= utf8.count else { return nil }
    let start = utf8.index(startIndex, offsetBy: range.lowerBound)
    let end = utf8.index(startIndex, offsetBy: range.upperBound)
    let isWhole = [start, end].allSatisfy { place in
      place == endIndex || utf8[place] & 0xC0 != 0x80
    }
    return isWhole ? self[start..<end] : nil
  }
}

/// `{"text": …, "start": …, "end": …}`, the offsets in UTF-8 bytes.
extension Mention: Codable {
  private enum CodingKeys: String, CodingKey { case text, start, end }

  /// Throws `DecodingError` when the range is not as long as the text.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    let text = try fields.decode(String.self, forKey: .text)
    let (start, end) = (
      try fields.decode(Int.self, forKey: .start), try fields.decode(Int.self, forKey: .end)
    )
    guard start >= 0, end >= start, end - start == text.utf8.count else {
      throw DecodingError.dataCorruptedError(
        forKey: .end, in: fields,
        debugDescription: "\(start)..<\(end) are not the \(text.utf8.count) bytes of \(text)")
    }
    self.init(text: text, range: start..<end)
  }

  /// Writes the three members.
  public func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(text, forKey: .text)
    try fields.encode(range.lowerBound, forKey: .start)
    try fields.encode(range.upperBound, forKey: .end)
  }
}

/// `{"subject": {"text", "start", "end"}, "predicate", "predicate_id", "object": {…},
/// "subject_type", "object_type", "score", "confidence", "parts", "temperature",
/// "offset_unit": "utf8"}`; the types only where there are any.
///
/// `score` and `confidence` are for readers: they follow from `parts` and `temperature`. A line of
/// `spo extract` does not have the last four and is read as an `ExtractionRecord`.
extension Triple: Codable {
  private enum CodingKeys: String, CodingKey {
    case subject, predicate, object, score, confidence, parts, temperature
    case predicateID = "predicate_id"
    case subjectType = "subject_type"
    case offsetUnit = "offset_unit"
  }

  /// Throws `DecodingError` for what is missing, and when offsets count something else than bytes.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    let unit = try fields.decode(OffsetUnit.self, forKey: .offsetUnit)
    guard unit == .utf8 else {
      throw DecodingError.dataCorruptedError(
        forKey: .offsetUnit, in: fields,
        debugDescription: "offsets of a triple alone count utf8, these \(unit.rawValue)")
    }
    let hasTypes = fields.contains(.subjectType)
    self.init(
      subject: try fields.decode(Mention.self, forKey: .subject),
      predicate: try fields.decode(String.self, forKey: .predicate),
      predicateID: try fields.decode(Int.self, forKey: .predicateID),
      object: try fields.decode(Mention.self, forKey: .object),
      types: hasTypes ? try RelationSchema.Types(from: decoder) : nil,
      parts: try fields.decode(ScoreParts.self, forKey: .parts),
      temperature: try fields.decode(Float.self, forKey: .temperature))
  }

  /// Writes all members.
  public func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(subject, forKey: .subject)
    try fields.encode(predicate, forKey: .predicate)
    try fields.encode(predicateID, forKey: .predicateID)
    try fields.encode(object, forKey: .object)
    try types?.encode(to: encoder)
    try fields.encode(score, forKey: .score)
    try fields.encode(confidence, forKey: .confidence)
    try fields.encode(parts, forKey: .parts)
    try fields.encode(temperature, forKey: .temperature)
    try fields.encode(OffsetUnit.utf8, forKey: .offsetUnit)
  }
}
