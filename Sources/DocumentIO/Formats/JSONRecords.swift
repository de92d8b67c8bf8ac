/// One JSON object a line, of which one field is the text and the others go through as they are.
struct JSONRecords: RecordFormat {
  private let settings: RecordSettings
  private let textName: [UInt8]
  private var lines: LineMachine
  private var members: [JSONScanner.Member] = []

  init(_ settings: RecordSettings) {
    self.settings = settings
    textName = Array(settings.textField.utf8)
    lines = LineMachine(limit: settings.limit, lineEnd: settings.lineEnd)
  }

  mutating func begin(_ input: inout InputBuffer) -> FoundBeginning { .records(note: nil) }

  var isOfLines: Bool { true }

  mutating func goOn(line: Int) {
    lines = LineMachine(limit: settings.limit, lineEnd: settings.lineEnd, line: line)
  }

  mutating func next(_ input: inout InputBuffer) -> FoundRecord? {
    guard let frame = lines.next(&input) else { return nil }
    guard frame.beginning == nil else { return .reject(settings.tooLong(frame)) }
    let bytes = input.bytes
    let line = bytes.span.extracting(frame.range)
    if isBlank(line) { return .blank(settings.reject(frame, bytes, "the line is empty")) }
    guard frame.byte >= settings.start else { return .skipped }
    do throws(UTF8.ValidationError) { _ = try UTF8Span(validating: line) } catch {
      return .reject(settings.reject(frame, bytes, encodingFault(error, line).reason))
    }
    do throws(JSONFault) { try JSONScanner.members(of: line, into: &members) } catch {
      let reason = "the line is not a JSON object: at byte \(error.byte) \(error.reason)"
      return .reject(settings.reject(frame, bytes, reason))
    }
    return object(frame, bytes, line)
  }

  private func isBlank(_ line: Span<UInt8>) -> Bool {
    for index in line.indices where ![0x20, 0x09, 0x0D, 0x0A].contains(line[index]) { return false }
    return true
  }

  private func object(_ frame: Frame, _ bytes: [UInt8], _ line: Span<UInt8>) -> FoundRecord {
    var carried = FieldList(count: members.count)
    var text: JSONScanner.Member?
    for member in members {
      let raw = line.extracting(member.name)
      let name = member.nameIsEscaped ? jsonString(raw, isEscaped: true) : nil
      if isTextName(raw, name) {
        text = member
      } else {
        carried.set(
          name ?? jsonString(raw, isEscaped: false),
          DocumentIO.text(line.extracting(member.value)))
      }
    }
    guard let text else {
      let names = carried.fields.map(\.name)
      let reason = "the object has no field \"\(settings.textField)\"; it has \(listed(names)) "
      return .reject(settings.reject(frame, bytes, reason + "(--text-field)", carried.fields))
    }
    let value = line.extracting(text.value)
    guard value[0] == UInt8(ascii: "\"") else {
      let reason = "field \"\(settings.textField)\" is not a string"
      return .reject(settings.reject(frame, bytes, reason, carried.fields))
    }
    guard value.count > 2 else {
      return .reject(settings.reject(frame, bytes, "the text is empty", carried.fields))
    }
    let document = jsonString(value, isEscaped: isEscaped(value))
    return .record(
      SourceRecord(
        location: settings.location(frame), text: document, carried: carried.fields))
  }

  /// Whether a name is that of the text: `raw` with its quotes, `name` where it has escapes.
  private func isTextName(_ raw: Span<UInt8>, _ name: String?) -> Bool {
    if let name { return name.utf8.elementsEqual(textName) }
    guard raw.count == textName.count + 2 else { return false }
    for index in textName.indices where raw[index + 1] != textName[index] { return false }
    return true
  }
}

/// Fields by name, of which a later one takes the value of an earlier one of the same name.
struct FieldList {
  private(set) var fields: [CarriedField] = []
  private var places: [[UInt8]: Int] = [:]
  private static let mostToSearch = 16

  init(count: Int) { fields.reserveCapacity(count) }

  mutating func set(_ name: String, _ json: String) {
    if let place = place(of: name) {
      fields[place].json = json
      return
    }
    fields.append(CarriedField(name: name, json: json))
    if fields.count > Self.mostToSearch { remember() }
  }

  /// Names are compared byte by byte: Swift's own comparison takes some that differ for equal.
  private func place(of name: String) -> Int? {
    if fields.count > Self.mostToSearch { return places[Array(name.utf8)] }
    return fields.firstIndex { $0.name.utf8.elementsEqual(name.utf8) }
  }

  private mutating func remember() {
    if places.isEmpty {
      for (place, field) in fields.enumerated() { places[Array(field.name.utf8)] = place }
    } else {
      places[Array(fields[fields.count - 1].name.utf8)] = fields.count - 1
    }
  }
}
