/// A text that equals only itself: Swift's own strings also equal what is canonically equivalent,
/// which the data sets' scorers tell apart.
public struct ExactText: Hashable, Sendable {
  /// The text.
  public let text: String

  /// A text.
  public init(_ text: String) { self.text = text }

  /// Equality of code points.
  public static func == (a: ExactText, b: ExactText) -> Bool {
    a.text.utf8.elementsEqual(b.text.utf8)
  }

  /// Hashes the code points.
  public func hash(into hasher: inout Hasher) {
    for byte in text.utf8 { hasher.combine(byte) }
  }
}

/// A triple by its surface forms, as scorers compare it: no offsets, no types.
public struct Statement: Sendable {
  /// The subject, normalised.
  public var subject: String
  /// The predicate as it was written.
  public var predicate: String
  /// The object's slots, normalised; one that is written as a string has the slot `@value` alone.
  public var object: [String: String]

  /// A triple with its mentions normalised.
  public init(subject: String, predicate: String, object: [String: String]) {
    self.subject = Self.normalise(subject)
    self.predicate = predicate
    self.object = object.mapValues(Self.normalise)
  }

  /// The main slot.
  public var value: String { object["@value"] ?? object.min { $0.key < $1.key }?.value ?? "" }

  /// Lower-case, without one pair of 《》 around it.
  static func normalise(_ mention: String) -> String {
    let lower = mention.lowercased()
    let scalars = lower.unicodeScalars
    guard scalars.count > 1, scalars.first == "《", scalars.last == "》" else { return lower }
    return String(String.UnicodeScalarView(scalars.dropFirst().dropLast()))
  }
}

extension Statement: Hashable {
  private var key: [ExactText] {
    [ExactText(subject), ExactText(predicate)]
      + object.sorted { $0.key < $1.key }.flatMap { [ExactText($0.key), ExactText($0.value)] }
  }

  /// Equality of code points.
  public static func == (a: Statement, b: Statement) -> Bool { a.key == b.key }

  /// Hashes the code points.
  public func hash(into hasher: inout Hasher) { hasher.combine(key) }
}

/// A predicted triple.
public struct Prediction: Hashable, Sendable {
  /// What is said.
  public var statement: Statement
  /// The smallest of its four logits; nil in files that keep none.
  public var score: Double?

  /// A prediction.
  public init(_ statement: Statement, score: Double? = nil) {
    (self.statement, self.score) = (statement, score)
  }
}

/// Other names of entities, and places that stand for others; see the scorers.
public struct Aliases: Sendable {
  private var names: [ExactText: Set<ExactText>] = [:]

  /// None.
  public init() {}

  /// Reads lines of a name and its other names, tab-separated; a later line of a name replaces an
  /// earlier one.
  public init(lines: some Sequence<String>) {
    for line in lines {
      let words = line.split(separator: "\t", omittingEmptySubsequences: false)
        .map { ExactText($0.lowercased()) }
      guard let name = words.first, !name.text.isEmpty else { continue }
      names[name] = Set(words.dropFirst())
    }
  }

  /// Whether a line of `name` lists the other one.
  func lists(_ name: String, _ other: String) -> Bool {
    names[ExactText(name)]?.contains(ExactText(other)) ?? false
  }

  /// Whether `other` is the name or one of its other names.
  func allow(_ name: String, for other: String) -> Bool {
    ExactText(name) == ExactText(other) || lists(name, other)
  }
}
