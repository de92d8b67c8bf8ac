internal import Texts

/// The predicates of a model, by id, with the entity types where the schema file has them.
public struct RelationSchema: Sendable, Hashable {
  /// A pair of entity types that a predicate connects; as JSON `subject_type` and `object_type`.
  public struct Types: Sendable, Hashable, Codable {
    private enum CodingKeys: String, CodingKey {
      case subject = "subject_type"
      case object = "object_type"
    }

    /// The subject's type, such as 图书作品.
    public var subject: String
    /// The object's type, such as 人物.
    public var object: String

    /// A pair of types.
    public init(subject: String, object: String) {
      (self.subject, self.object) = (subject, object)
    }
  }

  /// One predicate.
  public struct Predicate: Sendable, Hashable {
    /// Its name, such as 作者.
    public var name: String
    /// The type pairs that the schema lists for it; empty where the schema has no types.
    public var types: [Types]

    /// A predicate.
    public init(name: String, types: [Types] = []) {
      (self.name, self.types) = (name, types)
    }
  }

  /// The predicates; the index is the id.
  public let predicates: [Predicate]
  private let ids: [ExactText: Int]

  /// A schema from its predicates in id order. Throws when a name is empty or occurs twice.
  public init(predicates: [Predicate]) throws {
    var ids: [ExactText: Int] = [:]
    for (id, predicate) in predicates.enumerated() {
      guard !predicate.name.isEmpty else { throw SchemaError.malformed("predicate \(id) is empty") }
      if let first = ids.updateValue(id, forKey: ExactText(predicate.name)) {
        throw SchemaError.duplicateName(predicate.name, first: first, second: id)
      }
    }
    self.predicates = predicates
    self.ids = ids
  }

  /// The number of predicates, P.
  public var count: Int { predicates.count }

  /// The id of a predicate, `nil` when the schema lacks it.
  public func id(of name: String) -> Int? { ids[ExactText(name)] }

  /// The ids of named predicates. Throws `SchemaError.unknownPredicate` for the first unknown one.
  public func ids(of names: some Sequence<String>) throws -> Set<Int> {
    try Set(
      names.map { name in
        guard let id = ids[ExactText(name)] else {
          throw SchemaError.unknownPredicate(name, known: predicates.map(\.name))
        }
        return id
      })
  }

  /// The ids of predicates that connect the given types; `nil` stands for any type.
  ///
  /// Throws `SchemaError.noTypes` when no predicate of the schema has types.
  public func ids(subjectType: String?, objectType: String?) throws -> Set<Int> {
    guard predicates.contains(where: { !$0.types.isEmpty }) else { throw SchemaError.noTypes }
    let fits = { (types: Types) in
      (subjectType == nil || types.subject == subjectType)
        && (objectType == nil || types.object == objectType)
    }
    return Set(predicates.indices.filter { predicates[$0].types.contains(where: fits) })
  }

  /// Throws `SchemaError.wrongCount` unless the schema has as many predicates as the model.
  public func require(count expected: Int) throws {
    guard count == expected else { throw SchemaError.wrongCount(model: expected, schema: count) }
  }
}

/// What is wrong with a schema, or with a use of it.
public enum SchemaError: Error, Hashable, CustomStringConvertible {
  /// The file cannot be read.
  case unreadable(String, reason: String)
  /// The file is none of the known forms.
  case malformed(String)
  /// Two predicates share an id.
  case duplicateID(Int, first: String, second: String)
  /// A predicate occurs twice.
  case duplicateName(String, first: Int, second: Int)
  /// The ids are not 0 ..< count.
  case gap(missing: Int, count: Int)
  /// The schema does not fit the model.
  case wrongCount(model: Int, schema: Int)
  /// A predicate that the schema lacks.
  case unknownPredicate(String, known: [String])
  /// Types were asked of a schema that has none.
  case noTypes

  /// What was expected, what was got and what to do.
  public var description: String {
    switch self {
    case .unreadable(let path, let reason): "cannot read the schema \(path): \(reason)"
    case .malformed(let what):
      "the schema is malformed: \(what); expected {\"作者\": 0, …} or DuIE rows "
        + "{\"predicate\": …, \"subject_type\": …, \"object_type\": …}"
    case .duplicateID(let id, let first, let second):
      "the schema gives id \(id) to both \(first) and \(second); ids must be distinct"
    case .duplicateName(let name, let first, let second):
      "the schema lists \(name) twice, as \(first) and \(second); a predicate has one id"
    case .gap(let missing, let count):
      "the schema has \(count) predicates but no id \(missing); ids must be 0...\(count - 1)"
    case .wrongCount(let model, let schema):
      "the model has \(model) predicates, the schema \(schema); use the schema.json that the "
        + "model was trained with"
    case .unknownPredicate(let name, let known):
      "the schema has no predicate \(name); it has \(known.prefix(100).joined(separator: " "))"
        + (known.count > 100 ? " and \(known.count - 100) more" : "")
    case .noTypes:
      "the schema has no entity types; give one with subject_type and object_type"
    }
  }
}
