internal import DocumentIO
internal import Evaluation
internal import Foundation

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
  private static let longestLine = 64 << 20

  /// Why a file cannot be scored.
  struct Malformed: Error, CustomStringConvertible {
    let description: String
  }

  /// - Parameter isGold: which triples count in a line that has both forms: `spo extract` carries
  ///   the gold ones of its input through to its output.
  init(path: String, isGold: Bool) throws {
    self.isGold = isGold
    let reader = try LineReader(path: path, limit: Self.longestLine)
    while let line = try reader.next() {
      guard !line.bytes.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) else { continue }
      let place = "\(path), line \(line.number)"
      guard !line.isOverlong,
        let object = try? JSONSerialization.jsonObject(with: Data(line.bytes)),
        let row = object as? [String: Any]
      else { throw Malformed(description: "\(place) is no JSON object") }
      try add(row, place)
    }
  }

  private mutating func add(_ row: [String: Any], _ place: String) throws {
    if row["error"] != nil {
      rejects += 1
      return
    }
    guard let text = row["text"] as? String else {
      throw Malformed(description: "\(place) has no \"text\"; expected DuIE or spo's own JSONL")
    }
    let found: [Prediction]
    let written = row["triples"] as? [[String: Any]]
    if let list = row["spo_list"] as? [[String: Any]], isGold || written == nil {
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

  private mutating func duie(_ item: [String: Any], _ place: String) throws -> Prediction {
    guard let subject = item["subject"] as? String, let predicate = item["predicate"] as? String
    else { throw Malformed(description: "\(place) has a triple without subject or predicate") }
    let statement: Statement
    switch item["object"] {
    case let value as String:
      statement = Statement(subject: subject, predicate: predicate, object: ["@value": value])
    case let slots as [String: String]:
      hasSlots = true
      statement = Statement(subject: subject, predicate: predicate, object: slots)
    default:
      throw Malformed(
        description: "\(place) has an object that is neither a string nor slots of strings")
    }
    return Prediction(statement, score: item["score"] as? Double)
  }

  private func own(_ item: [String: Any], _ place: String) throws -> Prediction {
    func mention(_ name: String) -> String? { (item[name] as? [String: Any])?["text"] as? String }
    guard let subject = mention("subject"), let object = mention("object"),
      let predicate = item["predicate"] as? String
    else { throw Malformed(description: "\(place) has a triple that spo did not write") }
    let statement = Statement(subject: subject, predicate: predicate, object: ["@value": object])
    return Prediction(statement, score: item["score"] as? Double)
  }

  /// The other names of entities in a tab-separated file.
  static func aliases(_ path: String?) throws -> Aliases {
    guard let path else { return Aliases() }
    let reader = try LineReader(path: path, limit: longestLine)
    var lines: [String] = []
    while let line = try reader.next() {
      lines.append(
        String(decoding: line.bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
    }
    return Aliases(lines: lines)
  }
}
