internal import Texts

/// What is wrong with a predicted triple, or why a gold one may be missing.
public enum ErrorClass: String, Sendable, CaseIterable {
  /// A mention of the other side's triple is longer or shorter.
  case boundary
  /// Subject and object are exchanged.
  case direction
  /// The pair is right, the predicate is another.
  case predicate
  /// Only predicted: nothing of the kind is in the gold triples.
  case spurious
  /// Only gold: nothing of the kind was predicted.
  case missing
  /// Only gold: its mentions are further apart than a window is long.
  case window
  /// Only gold: no tokens are exactly a mention, or the text does not hold it.
  case impossible
}

/// One wrong or missing triple.
public struct ErrorCase: Sendable {
  /// The sentence.
  public var text: String
  /// The triple.
  public var statement: Statement
  /// Whether it was predicted and is wrong; else it is gold and was not found.
  public var isPredicted: Bool
  /// Its class.
  public var errorClass: ErrorClass
  /// The other side's triple that it resembles, where there is one.
  public var resembles: Statement?
}

/// What the tokens of a text allow; nil where no tokenizer is at hand.
public protocol Reach: Sendable {
  /// `window` or `impossible` when a model cannot give this triple, nil when it can.
  func obstacle(_ text: String, _ statement: Statement) -> ErrorClass?
}

extension Judgement {
  /// Everything that is wrong in this sentence.
  public func errors(_ reach: (any Reach)? = nil) -> [ErrorCase] {
    let wrong = predicted.filter { !$0.isRight }.map(\.statement)
    let missed = gold.filter { !$0.isFound }.map(\.statement)
    let said = predicted.map(\.statement)
    let asked = gold.map(\.statement)
    let spurious = wrong.map { statement in
      let (kind, other) = statement.resemblance(to: asked) ?? (.spurious, nil)
      return ErrorCase(
        text: text, statement: statement, isPredicted: true, errorClass: kind, resembles: other)
    }
    let missing = missed.map { statement in
      let obstacle = reach?.obstacle(text, statement)
      let (kind, other) = statement.resemblance(to: said) ?? (.missing, nil)
      return ErrorCase(
        text: text, statement: statement, isPredicted: false, errorClass: obstacle ?? kind,
        resembles: obstacle == nil ? other : nil)
    }
    return spurious + missing
  }
}

extension Statement {
  /// The nearest of the others and how it differs; nil when none is near.
  fileprivate func resemblance(to others: [Statement]) -> (ErrorClass, Statement?)? {
    if let other = others.first(where: {
      $0.predicate.isExactly(predicate) && $0.subject.isExactly(value)
        && $0.value.isExactly(subject)
    }) {
      return (.direction, other)
    }
    if let other = others.first(where: {
      $0.subject.isExactly(subject) && $0.slots.elementsEqual(slots, by: Slot.areEqual)
    }) {
      return (.predicate, other)
    }
    let near = others.first {
      $0.predicate.isExactly(predicate) && Self.overlap($0.subject, subject)
        && Self.overlap($0.value, value)
    }
    return near.map { (.boundary, $0) }
  }

  /// Equal, or one within the other: what a wrong boundary makes.
  private static func overlap(_ a: String, _ b: String) -> Bool {
    a.isExactly(b) || !a.isEmpty && !b.isEmpty && (a.holds(b) || b.holds(a))
  }
}
