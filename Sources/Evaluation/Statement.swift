internal import Texts

/// A triple by its surface forms, as scorers compare it: no offsets, no types.
public struct Statement: Sendable {
  /// One part of an object.
  public struct Slot: Sendable {
    /// Its name; `@value` for the main one.
    public let name: String
    /// What is in it, normalized.
    public let value: String

    /// Equality of code points.
    static func areEqual(_ a: Slot, _ b: Slot) -> Bool {
      a.name.isExactly(b.name) && a.value.isExactly(b.value)
    }
  }

  /// The subject, normalized.
  public let subject: String
  /// The predicate as it was written.
  public let predicate: String
  /// The object's slots by name; one that is written as a string has the slot `@value` alone.
  public let slots: [Slot]

  /// A triple with its mentions normalized: lower-case, without one pair of 《》 around them.
  ///
  /// - Parameter object: the slots with their names; of a repeated name the last one counts.
  public init(subject: String, predicate: String, object: [(name: String, value: String)]) {
    var slots: [Slot] = []
    for (index, slot) in object.enumerated()
    where !object[(index + 1)...].contains(where: { $0.name.isExactly(slot.name) }) {
      slots.append(Slot(name: slot.name, value: Self.normalize(slot.value)))
    }
    slots.sort { $0.name.unicodeScalars.lexicographicallyPrecedes($1.name.unicodeScalars) }
    self.init(subject: Self.normalize(subject), predicate: predicate, slots: slots)
  }

  /// A triple whose object is a plain string.
  public init(subject: String, predicate: String, object: String) {
    self.init(
      subject: Self.normalize(subject), predicate: predicate,
      slots: [Slot(name: Self.mainSlot, value: Self.normalize(object))])
  }

  private init(subject: String, predicate: String, slots: [Slot]) {
    (self.subject, self.predicate, self.slots) = (subject, predicate, slots)
  }

  /// The name of an object's main slot.
  public static let mainSlot = "@value"

  /// The main slot, or the first by name.
  public var value: String {
    (slots.first { $0.name.isExactly(Self.mainSlot) } ?? slots.first)?.value ?? ""
  }

  /// The same with the object's main slot alone, as DuIE 1 has objects.
  public var plain: Statement {
    Statement(
      subject: subject, predicate: predicate, slots: [Slot(name: Self.mainSlot, value: value)])
  }

  private static func normalize(_ mention: String) -> String {
    mention.lowercasedAsInPython().withoutBookMarks()
  }
}

extension Statement: Hashable {
  /// Equality of code points.
  public static func == (a: Statement, b: Statement) -> Bool {
    a.subject.isExactly(b.subject) && a.predicate.isExactly(b.predicate)
      && a.slots.elementsEqual(b.slots, by: Slot.areEqual)
  }

  /// Hashes the code points.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(ExactText(subject))
    hasher.combine(ExactText(predicate))
    for slot in slots { hasher.combine(ExactText(slot.value)) }
  }
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
