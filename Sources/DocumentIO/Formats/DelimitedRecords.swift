/// Rows below a header, of which one column is the text and the others are carried as strings.
struct DelimitedRecords: RecordFormat {
  private let settings: RecordSettings
  private var cutter: RowCutter
  private var header: Header?

  init(_ settings: RecordSettings, hasQuotes: Bool) {
    self.settings = settings
    cutter = RowCutter(settings, hasQuotes: hasQuotes)
  }

  mutating func begin(_ input: inout InputBuffer) -> FoundBeginning {
    guard let row = cutter.next(&input) else { return .needsMore }
    return readHeader(row, input.bytes)
  }

  var isOfLines: Bool { cutter.isOfLines }

  mutating func goOn(line: Int) { cutter.goOn(line: line) }

  mutating func next(_ input: inout InputBuffer) -> FoundRecord? {
    guard let header, let row = cutter.next(&input) else { return nil }
    return record(row, input.bytes, header)
  }

  private func record(_ row: DelimitedMachine.Row, _ bytes: [UInt8], _ header: Header)
    -> FoundRecord
  {
    let frame = row.frame
    if let fault = row.fault { return .reject(reject(frame, bytes, fault)) }
    let record = bytes.span.extracting(frame.range)
    if withoutReturn(frame.range, bytes, settings.lineEnd).isEmpty {
      return .blank(settings.reject(frame, bytes, "the line is empty"))
    }
    guard frame.byte >= settings.start else { return .skipped }
    do throws(UTF8.ValidationError) { _ = try UTF8Span(validating: record) } catch {
      return .reject(settings.reject(frame, bytes, encodingFault(error, record).reason))
    }
    let fields = cutter.fields
    guard fields.count == header.count else {
      let reason = "the row has \(fields.count) fields, the header \(header.count)"
      return .reject(settings.reject(frame, bytes, reason))
    }
    let carried = header.carried.map { column in
      CarriedField(name: column.name, json: json(fields[column.place], record))
    }
    let text = plain(fields[header.text], record)
    guard !text.isEmpty else {
      return .reject(settings.reject(frame, bytes, "the text is empty", carried))
    }
    return .record(
      SourceRecord(location: settings.location(frame), text: text, carried: carried))
  }

  private func plain(_ field: DelimitedMachine.Field, _ record: Span<UInt8>) -> String {
    let bytes = record.extracting(field.range)
    guard field.hasDoubledQuotes else { return text(bytes) }
    return String(decoding: undoubled(bytes), as: UTF8.self)
  }

  private func json(_ field: DelimitedMachine.Field, _ record: Span<UInt8>) -> String {
    var out: [UInt8] = []
    out.reserveCapacity(field.range.count + 2)
    if field.hasDoubledQuotes {
      appendJSON(undoubled(record.extracting(field.range)).span, to: &out)
    } else {
      appendJSON(record.extracting(field.range), to: &out)
    }
    return String(decoding: out, as: UTF8.self)
  }

  private func reject(
    _ frame: Frame, _ bytes: [UInt8], _ fault: DelimitedMachine.Fault
  ) -> Reject {
    switch fault {
    case .tooLong: settings.tooLong(frame)
    case .openQuote:
      settings.reject(
        frame, bytes,
        "a quote that begins a field of this line does not close before the end or "
          + "the limit of a record (a quote within a quoted field is doubled)")
    case .quoteWithin:
      settings.reject(
        frame, bytes,
        "a quote stands where none may: after it a comma or the line's end is "
          + "expected (a quote within a quoted field is doubled)")
    }
  }
}

extension DelimitedRecords {
  /// What the first row says of the others.
  private struct Header {
    struct Column {
      var name: String
      var place: Int
    }
    var count: Int
    var text: Int
    var carried: [Column]
  }

  /// Reads the names of the columns; of columns with one name the last counts, as with JSON.
  /// Gives what is to be said of it.
  private mutating func readHeader(
    _ row: DelimitedMachine.Row, _ bytes: [UInt8]
  ) -> FoundBeginning {
    guard row.fault == nil else {
      let reason = reject(row.frame, bytes, row.fault ?? .openQuote).reason
      return .failure("has a header that cannot be read: \(reason)")
    }
    let record = bytes.span.extracting(row.frame.range)
    do throws(UTF8.ValidationError) { _ = try UTF8Span(validating: record) } catch {
      return .failure("has a header that cannot be read: \(encodingFault(error, record).reason)")
    }
    let names = cutter.fields.map { plain($0, record) }
    func isText(_ name: String) -> Bool { name.utf8.elementsEqual(settings.textField.utf8) }
    guard let text = names.lastIndex(where: isText) else {
      return .failure(
        "has no column \"\(settings.textField)\" in its header (\(listed(names))); "
          + "name it with --text-field")
    }
    var carried: [Header.Column] = []
    var places: [[UInt8]: Int] = [:]
    for (place, name) in names.enumerated() where !isText(name) {
      if let earlier = places.updateValue(carried.count, forKey: Array(name.utf8)) {
        places[Array(name.utf8)] = earlier
        carried[earlier].place = place
      } else {
        carried.append(Header.Column(name: name, place: place))
      }
    }
    header = Header(count: names.count, text: text, carried: carried)
    guard carried.count < names.count - 1 else { return .records(note: nil) }
    return .records(
      note: "has columns with the same name in its header; of each the last is taken")
  }
}

/// Rows with their fields, with quotes (CSV) or without (TSV).
private struct RowCutter {
  private let settings: RecordSettings
  private var quoted: DelimitedMachine?
  private var lines: LineMachine
  private var plain: [DelimitedMachine.Field] = []

  init(_ settings: RecordSettings, hasQuotes: Bool) {
    self.settings = settings
    let (limit, lineEnd) = (settings.limit, settings.lineEnd)
    quoted = hasQuotes ? DelimitedMachine(limit: limit, lineEnd: lineEnd) : nil
    lines = LineMachine(limit: limit, lineEnd: lineEnd)
  }

  /// The fields of the last row, by their places within it.
  var fields: [DelimitedMachine.Field] { quoted?.fields ?? plain }

  var isOfLines: Bool { quoted == nil }

  mutating func goOn(line: Int) {
    lines = LineMachine(limit: settings.limit, lineEnd: settings.lineEnd, line: line)
  }

  mutating func next(_ input: inout InputBuffer) -> DelimitedMachine.Row? {
    if quoted != nil { return quoted?.next(&input) }
    guard let frame = lines.next(&input) else { return nil }
    guard frame.beginning == nil else { return DelimitedMachine.Row(frame: frame, fault: .tooLong) }
    let bytes = input.bytes
    split(bytes.span.extracting(withoutReturn(frame.range, bytes, lines.lineEnd)))
    return DelimitedMachine.Row(frame: frame, fault: nil)
  }

  private mutating func split(_ line: Span<UInt8>) {
    plain.removeAll(keepingCapacity: true)
    var start = 0
    for index in line.indices where line[index] == 0x09 {
      plain.append(.init(range: start..<index))
      start = index + 1
    }
    plain.append(.init(range: start..<line.count))
  }
}
