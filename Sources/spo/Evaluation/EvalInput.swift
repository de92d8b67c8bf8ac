internal import DocumentIO
internal import Evaluation
internal import Texts

/// Sentences with triples, from DuIE files or from what `spo extract` writes.
struct TripleFile {
  /// A later line of a text takes the place of an earlier one, as the data sets' scorers have it.
  private var triples: [ExactText: [Prediction]] = [:]
  /// The texts in their order, each once.
  private(set) var texts: [String] = []
  /// Whether objects have slots.
  private(set) var hasSlots = false
  /// Lines that say why they have no triples.
  private(set) var rejects = 0

  private let isGold: Bool

  /// Why a file cannot be scored.
  struct Malformed: Error, CustomStringConvertible {
    let description: String
  }

  /// - Parameter isGold: which triples count in a line that has both forms: `spo extract` carries
  ///   the gold ones of its input through to its output.
  init(path: String, isGold: Bool) throws {
    self.isGold = isGold
    let lines = try EvalLines(path: path)
    while let line = try lines.next() {
      guard !line.bytes.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) else { continue }
      let place = lines.place(line)
      let row: JSONValue
      do { row = try JSONValue(line.bytes) } catch {
        throw Malformed(description: "\(place) is no JSON object: \(error)")
      }
      try add(row, place)
    }
  }

  private mutating func add(_ row: JSONValue, _ place: String) throws {
    guard case .object = row else {
      throw Malformed(description: "\(place) is no JSON object but \(row.kind)")
    }
    // A gold line may have a field of that name; a record that could not be read has no triples.
    if row["error"]?.string != nil, row["triples"] == nil, !isGold || row["spo_list"] == nil {
      rejects += 1
      return
    }
    guard let text = row["text"]?.string else {
      throw Malformed(description: "\(place) has no \"text\"; expected DuIE or spo's own JSONL")
    }
    let found: [Prediction]
    let written = row["triples"]?.array
    if let list = row["spo_list"]?.array, isGold || written == nil {
      found = try list.map { try duie($0, place) }
    } else if let written {
      found = try written.map { try own($0, place) }
    } else {
      throw Malformed(description: "\(place) has neither \"spo_list\" nor \"triples\"")
    }
    if triples.updateValue(found, forKey: ExactText(text)) == nil { texts.append(text) }
  }

  /// The triples of a text; nil when the file does not have it.
  subscript(text: String) -> [Prediction]? { triples[ExactText(text)] }

  private mutating func duie(_ item: JSONValue, _ place: String) throws -> Prediction {
    guard let subject = item["subject"]?.string, let predicate = item["predicate"]?.string
    else { throw Malformed(description: "\(place) has a triple without subject or predicate") }
    let statement: Statement
    if let value = item["object"]?.string {
      statement = Statement(subject: subject, predicate: predicate, object: value)
    } else if let slots = item["object"].flatMap(Self.slots) {
      hasSlots = true
      statement = Statement(subject: subject, predicate: predicate, object: slots)
    } else {
      throw Malformed(
        description: "\(place) has an object that is neither a string nor slots of strings")
    }
    return Prediction(statement, score: try score(item, place))
  }

  private static func slots(_ object: JSONValue) -> [(name: String, value: String)]? {
    guard let members = object.members else { return nil }
    let slots = members.compactMap { member in
      member.value.string.map { (name: member.name, value: $0) }
    }
    return slots.count == members.count ? slots : nil
  }

  private func own(_ item: JSONValue, _ place: String) throws -> Prediction {
    guard let subject = item["subject"]?["text"]?.string,
      let object = item["object"]?["text"]?.string, let predicate = item["predicate"]?.string
    else { throw Malformed(description: "\(place) has a triple that spo did not write") }
    let statement = Statement(subject: subject, predicate: predicate, object: object)
    return Prediction(statement, score: try score(item, place))
  }

  /// A triple's score; nil where it has none.
  private func score(_ item: JSONValue, _ place: String) throws -> Double? {
    switch item["score"] {
    case nil, .null: return nil
    case let value?:
      guard let score = value.double, score.isFinite else {
        throw Malformed(
          description: "\(place) has a score that is \(value.kind), expected a finite number")
      }
      return score
    }
  }
}
