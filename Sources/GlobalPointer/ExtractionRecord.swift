internal import Texts

/// A text with its triples as a line of `spo extract --format jsonl` holds them, for programs that
/// read such lines or write them.
///
/// ```json
/// {"version": 1, "text": "《离开》是由张宇谱曲", "offset_unit": "codepoint", "triples": [
///   {"subject": {"text": "离开", "start": 1, "end": 3}, "predicate": "作曲",
///    "object": {"text": "张宇", "start": 6, "end": 8},
///    "subject_type": "歌曲", "object_type": "人物", "score": 3.5, "confidence": 0.97}]}
/// ```
///
/// The types are there where the schema lists one pair for the predicate; `windows` is there for a
/// text that was read in more than one; other members, such as `source`, are not looked at. A record
/// without `version` is of version 1. A later version only adds members as long as its number
/// stays; a record of another version is refused.
public struct ExtractionRecord: Hashable, Sendable {
  /// The version of the form that this code reads and writes.
  public static let version = 1

  /// One triple of a line: without the parts of its score, which lines do not have.
  public struct Entry: Hashable, Sendable {
    /// The subject, with its place in UTF-8 bytes.
    public var subject: Mention
    /// The predicate's name.
    public var predicate: String
    /// The object, with its place in UTF-8 bytes.
    public var object: Mention
    /// The entity types, where the schema lists exactly one pair for the predicate.
    public var types: RelationSchema.Types?
    /// The smallest of the four logits.
    public var score: Float
    /// sigmoid(score / temperature), in 0...1.
    public var confidence: Float

    /// What a line holds of a triple.
    public init(_ triple: Triple) {
      (subject, predicate, object) = (triple.subject, triple.predicate, triple.object)
      (types, score, confidence) = (triple.types, triple.score, triple.confidence)
    }

    fileprivate init(_ form: Form, _ subject: Mention, _ object: Mention) {
      (self.subject, predicate, self.object) = (subject, form.predicate, object)
      (score, confidence) = (form.score, form.confidence)
      if let subject = form.subjectType, let object = form.objectType {
        types = RelationSchema.Types(subject: subject, object: object)
      }
    }
  }

  /// The text.
  public var text: String
  /// What offsets count where the record is written; the values here always count bytes.
  public var offsetUnit: OffsetUnit
  /// Its triples.
  public var triples: [Entry]
  /// In how many windows the text was read.
  public var windows: Int

  /// A record to write.
  public init(
    text: String, triples: [Triple], offsetUnit: OffsetUnit = .codepoint, windows: Int = 1
  ) {
    (self.text, self.offsetUnit, self.windows) = (text, offsetUnit, windows)
    self.triples = triples.map(Entry.init)
  }
}

/// A triple as it is written, offsets in the record's unit.
private struct Form: Codable {
  struct Place: Codable {
    var text: String
    var start: Int
    var end: Int
  }

  var subject: Place
  var predicate: String
  var object: Place
  var subjectType: String?
  var objectType: String?
  var score: Float
  var confidence: Float

  enum CodingKeys: String, CodingKey {
    case subject, predicate, object, score, confidence
    case subjectType = "subject_type"
    case objectType = "object_type"
  }
}

extension ExtractionRecord: Codable {
  private enum CodingKeys: String, CodingKey {
    case version, text, triples, windows
    case offsetUnit = "offset_unit"
  }

  /// Throws `DecodingError`: for another version, and for a mention that is not what the text has at
  /// its place, as when offsets count something else than `offset_unit` says.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    let version = try fields.decodeIfPresent(Int.self, forKey: .version) ?? Self.version
    guard version == Self.version else {
      throw DecodingError.dataCorruptedError(
        forKey: .version, in: fields,
        debugDescription: "the record is of version \(version), expected \(Self.version)")
    }
    text = try fields.decode(String.self, forKey: .text)
    offsetUnit = try fields.decode(OffsetUnit.self, forKey: .offsetUnit)
    windows = try fields.decodeIfPresent(Int.self, forKey: .windows) ?? 1
    let (text, offset) = (text, OffsetConverter(text, offsetUnit))
    func mention(_ place: Form.Place) throws -> Mention {
      guard let start = offset.byte(at: place.start), let end = offset.byte(at: place.end),
        start <= end, let piece = text.piece(start..<end), String(piece).isExactly(place.text)
      else {
        throw DecodingError.dataCorruptedError(
          forKey: .triples, in: fields,
          debugDescription: "\(place.start)..<\(place.end) is not the place of \(place.text)")
      }
      return Mention(text: place.text, range: start..<end)
    }
    triples = try fields.decode([Form].self, forKey: .triples).map { form in
      Entry(form, try mention(form.subject), try mention(form.object))
    }
  }

  /// Writes the record with offsets in its unit.
  public func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    let offset = OffsetConverter(text, offsetUnit)
    func place(_ mention: Mention) -> Form.Place {
      Form.Place(
        text: mention.text, start: offset(mention.range.lowerBound),
        end: offset(mention.range.upperBound))
    }
    try fields.encode(Self.version, forKey: .version)
    try fields.encode(text, forKey: .text)
    try fields.encode(offsetUnit, forKey: .offsetUnit)
    let forms = triples.map { entry in
      Form(
        subject: place(entry.subject), predicate: entry.predicate, object: place(entry.object),
        subjectType: entry.types?.subject, objectType: entry.types?.object, score: entry.score,
        confidence: entry.confidence)
    }
    try fields.encode(forms, forKey: .triples)
    if windows > 1 { try fields.encode(windows, forKey: .windows) }
  }
}
