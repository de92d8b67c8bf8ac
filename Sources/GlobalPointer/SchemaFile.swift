public import Foundation
internal import Texts

extension RelationSchema {
  /// A larger file is no schema.
  private static let largestFile = 256 << 20

  /// Reads a schema file; see `init(json:)` for its forms.
  public init(contentsOf file: URL) throws {
    let bytes: [UInt8]
    do { bytes = try TextFile.bytes(path: file.path, atMost: Self.largestFile) } catch {
      throw SchemaError.unreadable(file.path, reason: error.description)
    }
    self = try Self.read(bytes)
  }

  /// Reads a schema in one of three forms.
  ///
  /// - `{"作者": 0, …}`: predicate to id, the ids being 0 ..< count.
  /// - A JSON array of DuIE rows, `{"predicate", "subject_type", "object_type", "id"?}`.
  /// - The same rows one a line, as DuIE publishes them.
  ///
  /// Ids are integers. Rows without ids are numbered by a predicate's first row; several rows of
  /// one predicate add type pairs. A type written by slot, `{"@value": "人物", …}`, counts with its
  /// `@value`.
  ///
  /// - Throws: `SchemaError` that names the row or the predicate.
  public init(json data: Data) throws { self = try Self.read(Array(data)) }

  private static func read(_ bytes: [UInt8]) throws -> RelationSchema {
    let whole: JSONValue
    do { whole = try JSONValue(bytes) } catch {
      return try SchemaRows(lines(bytes, error)).schema()
    }
    switch whole {
    case .object where whole["predicate"]?.string != nil: return try SchemaRows([whole]).schema()
    case .object(let members): return try talkForm(members)
    case .array(let rows): return try SchemaRows(Array(rows)).schema()
    default: throw SchemaError.malformed("it is \(whole.kind)")
    }
  }

  /// The rows of a file that has one a line; `error` is what it has as one JSON value.
  private static func lines(_ bytes: [UInt8], _ error: JSONError) throws -> [JSONValue] {
    var rows: [JSONValue] = []
    let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
    for (number, line) in lines.enumerated() {
      guard line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) else { continue }
      do { rows.append(try JSONValue(Array(line))) } catch let own {
        if !rows.isEmpty { throw SchemaError.malformed("line \(number + 1): \(own)") }
        // Not even the first line is a value of its own: the file means to be one value.
        let before = bytes.prefix(error.byte).count { $0 == 0x0A }
        throw SchemaError.malformed("line \(before + 1): \(error.reason)")
      }
    }
    return rows
  }

  private static func talkForm(_ members: [JSONValue.Member]) throws -> RelationSchema {
    var ids: [ExactText: Int] = [:]
    let pairs = try members.map { member in
      let id = try SchemaRows.id(member.value, of: member.name)
      if let first = ids.updateValue(id, forKey: ExactText(member.name)) {
        throw SchemaError.duplicateName(member.name, first: first, second: id)
      }
      return (id, Predicate(name: member.name))
    }
    return try numbered(pairs)
  }

  /// The schema of predicates with their ids, in any order.
  fileprivate static func numbered(_ pairs: [(Int, Predicate)]) throws -> RelationSchema {
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

/// DuIE's rows, put together by predicate.
private struct SchemaRows {
  private var predicates: [RelationSchema.Predicate] = []
  private var ids: [Int?] = []
  private var places: [ExactText: Int] = [:]
  private var pairs: Set<[ExactText]> = []

  init(_ rows: [JSONValue]) throws {
    for (number, row) in rows.enumerated() {
      guard let name = row["predicate"]?.string else {
        throw SchemaError.malformed("row \(number + 1) has no \"predicate\"")
      }
      try add(name, try row["id"].map { try Self.id($0, of: name) })
      guard let types = try Self.types(of: row, name) else { continue }
      let pair = [name, types.subject, types.object].map(ExactText.init)
      if pairs.insert(pair).inserted, let place = places[pair[0]] {
        predicates[place].types.append(types)
      }
    }
  }

  private mutating func add(_ name: String, _ id: Int?) throws {
    guard let place = places[ExactText(name)] else {
      places[ExactText(name)] = predicates.count
      predicates.append(RelationSchema.Predicate(name: name))
      ids.append(id)
      return
    }
    if let id, let first = ids[place], id != first {
      throw SchemaError.duplicateName(name, first: first, second: id)
    }
    ids[place] = ids[place] ?? id
  }

  func schema() throws -> RelationSchema {
    let known = ids.compactMap(\.self)
    if known.isEmpty { return try RelationSchema(predicates: predicates) }
    guard known.count == predicates.count else {
      let name = zip(predicates, ids).first { $0.1 == nil }?.0.name ?? ""
      throw SchemaError.malformed("\(name) has no id and others have one")
    }
    return try RelationSchema.numbered(Array(zip(known, predicates)))
  }

  /// The id that a value is.
  static func id(_ value: JSONValue, of name: String) throws -> Int {
    switch value {
    case .integer(let id) where id >= 0: return id
    case .integer(let id):
      throw SchemaError.malformed("the id of \(name) is \(id), expected 0 or more")
    case .number(let id):
      throw SchemaError.malformed("the id of \(name) is \(id), not an integer")
    default:
      throw SchemaError.malformed("the id of \(name) is \(value.kind), not an integer")
    }
  }

  private static func types(of row: JSONValue, _ name: String) throws -> RelationSchema.Types? {
    func plain(_ key: String) throws -> String? {
      switch row[key] {
      case nil: nil
      case .string(let text): text
      case .some(let slots) where slots.members != nil: slots["@value"]?.string
      default: throw SchemaError.malformed("\(key) of \(name) is neither text nor slots")
      }
    }
    switch (try plain("subject_type"), try plain("object_type")) {
    case (let subject?, let object?):
      return RelationSchema.Types(subject: subject, object: object)
    case (nil, nil): return nil
    default: throw SchemaError.malformed("\(name) has only one of subject_type and object_type")
    }
  }
}
