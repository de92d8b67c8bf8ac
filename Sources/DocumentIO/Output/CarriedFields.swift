/// Names that records have of their own.
private let ownNames: Set<String> = [
  "version", "source", "text", "triples", "offset_unit", "windows", "error",
]

/// Appends the fields of the input, each name once and none that a record has of its own: a field
/// of such a name gets `input_` before it, as often as it takes to differ from the others.
func appendCarried(_ fields: [CarriedField], to out: inout [UInt8]) {
  guard !fields.isEmpty else { return }
  for (name, json) in renamed(fields) {
    out.append(contentsOf: ", ".utf8)
    appendJSON(name, to: &out)
    out.append(contentsOf: ": ".utf8)
    out.append(contentsOf: json.utf8)
  }
}

private func renamed(_ fields: [CarriedField]) -> [(name: String, json: String)] {
  var list = FieldList(count: fields.count)
  for field in fields { list.set(field.name, field.json) }
  guard list.fields.contains(where: { ownNames.contains($0.name) }) else {
    return list.fields.map { ($0.name, $0.json) }
  }
  var taken = Set(list.fields.map { Array($0.name.utf8) })
  return list.fields.map { field in
    guard ownNames.contains(field.name) else { return (field.name, field.json) }
    var name = "input_" + field.name
    while !taken.insert(Array(name.utf8)).inserted { name = "input_" + name }
    return (name, field.json)
  }
}
