public import Foundation

extension RelationSchema {
  /// Reads a schema file; see `init(json:)` for its forms.
  public init(contentsOf file: URL) throws {
    let data: Data
    do { data = try Data(contentsOf: file) } catch {
      throw SchemaError.unreadable(file.path, reason: error.localizedDescription)
    }
    try self.init(json: data)
  }

  /// Reads a schema in one of three forms.
  ///
  /// - `{"作者": 0, …}`: predicate to id, the ids being 0 ..< count.
  /// - A JSON array of DuIE rows, `{"predicate", "subject_type", "object_type", "id"?}`.
  /// - The same rows one a line, as DuIE publishes them.
  ///
  /// Rows without ids are numbered by a predicate's first row; several rows of one predicate add
  /// type pairs. A type written by slot, `{"@value": "人物", …}`, counts with its `@value`.
  public init(json data: Data) throws {
    if let whole = try? JSONSerialization.jsonObject(with: data) {
      switch whole {
      case let object as [String: Any] where object["predicate"] == nil:
        self = try Self.talkForm(object)
      case let row as [String: Any]: self = try Self.rowForm([row])
      case let rows as [[String: Any]]: self = try Self.rowForm(rows)
      default: throw SchemaError.malformed("it is neither an object nor an array of objects")
      }
      return
    }
    let lines = data.split(separator: UInt8(ascii: "\n"))
    let rows = try lines.enumerated().map { number, line in
      guard let row = try? JSONSerialization.jsonObject(with: Data(line)) as? [String: Any] else {
        throw SchemaError.malformed("line \(number + 1) is not a JSON object")
      }
      return row
    }
    self = try Self.rowForm(rows)
  }

  private static func talkForm(_ object: [String: Any]) throws -> RelationSchema {
    let pairs = try object.map { name, value in
      guard let id = value as? Int else {
        throw SchemaError.malformed("the id of \(name) is \(value), not an integer")
      }
      return (id, Predicate(name: name))
    }
    return try numbered(pairs)
  }

  private static func rowForm(_ rows: [[String: Any]]) throws -> RelationSchema {
    var merged: [(id: Int, predicate: Predicate)] = []
    for (number, row) in rows.enumerated() {
      guard let name = row["predicate"] as? String else {
        throw SchemaError.malformed("row \(number + 1) has no \"predicate\"")
      }
      let types = try types(of: row, name)
      if let known = merged.firstIndex(where: { $0.predicate.name == name }) {
        if let id = row["id"] as? Int, id != merged[known].id {
          throw SchemaError.duplicateName(name, first: merged[known].id, second: id)
        }
        merged[known].predicate.types += types
      } else {
        let id = row["id"] as? Int ?? merged.count
        merged.append((id, Predicate(name: name, types: types)))
      }
    }
    return try numbered(merged.map { ($0.id, $0.predicate) })
  }

  private static func types(of row: [String: Any], _ name: String) throws -> [Types] {
    func plain(_ key: String) throws -> String? {
      switch row[key] {
      case nil: nil
      case let text as String: text
      case let slots as [String: Any]: slots["@value"] as? String
      default: throw SchemaError.malformed("\(key) of \(name) is neither text nor slots")
      }
    }
    switch (try plain("subject_type"), try plain("object_type")) {
    case (let subject?, let object?): return [Types(subject: subject, object: object)]
    case (nil, nil): return []
    default: throw SchemaError.malformed("\(name) has only one of subject_type and object_type")
    }
  }

  private static func numbered(_ pairs: [(Int, Predicate)]) throws -> RelationSchema {
    let sorted = pairs.sorted { ($0.0, $0.1.name) < ($1.0, $1.1.name) }
    for (index, (id, predicate)) in sorted.enumerated() where id != index {
      if index > 0, id == sorted[index - 1].0 {
        throw SchemaError.duplicateID(id, first: sorted[index - 1].1.name, second: predicate.name)
      }
      throw SchemaError.gap(missing: index, count: pairs.count)
    }
    return try RelationSchema(predicates: sorted.map(\.1))
  }
}
