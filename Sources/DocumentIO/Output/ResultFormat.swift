public import GlobalPointer

/// How results are written.
public enum ResultFormat: String, Sendable, CaseIterable {
  /// One JSON object a document.
  case jsonl
  /// One row a triple, tab-separated, with a header.
  case tsv
  /// One row a triple, comma-separated, with a header.
  case csv
  /// One JSON object a document in DuIE's own form, `{"text", "spo_list"}`.
  case duie
  /// For reading on a terminal.
  case pretty
}

/// Writes documents with their triples in one format.
public struct ResultFormatter: Sendable {
  /// The format.
  public let format: ResultFormat
  /// What offsets count.
  public let unit: OffsetUnit
  /// Whether `pretty` may use color.
  public let color: Bool
  /// Whether `csv` is for Excel: with a byte-order mark, by which it knows UTF-8, and with `'`
  /// before each text that it would take for a formula (`=`, `+`, `-`, `@` first).
  public let isForExcel: Bool

  /// A formatter.
  public init(
    format: ResultFormat, unit: OffsetUnit = .codepoint, color: Bool = false,
    isForExcel: Bool = false
  ) {
    (self.format, self.unit, self.color) = (format, unit, color)
    self.isForExcel = isForExcel
  }

  /// What comes before the first record.
  public func appendHeader(to out: inout [UInt8]) {
    guard format == .csv || format == .tsv else { return }
    if format == .csv, isForExcel { out.append(contentsOf: [0xEF, 0xBB, 0xBF]) }
    append(row: Self.columns.map { $0.replacing("UNIT", with: unit.rawValue) }, to: &out)
  }

  /// One document with its triples; `windows` is in how many it was read.
  public func append(
    _ record: SourceRecord, _ triples: [Triple], windows: Int, to out: inout [UInt8]
  ) {
    switch format {
    case .jsonl: appendRecord(record, triples, windows, to: &out)
    case .duie: appendDuIE(record, triples, to: &out)
    case .pretty: appendPretty(record, triples, to: &out)
    case .tsv, .csv: appendRows(record, triples, to: &out)
    }
  }

  /// A record that could not be used, in formats that have a line for each; false in others.
  public func append(_ reject: Reject, to out: inout [UInt8]) -> Bool {
    guard format == .jsonl || format == .duie else { return false }
    out.append(contentsOf: "{\"source\": ".utf8)
    append(reject.location, to: &out)
    out.append(contentsOf: ", \"error\": ".utf8)
    appendJSON(reject.reason, to: &out)
    appendCarried(reject.carried, to: &out)
    out.append(contentsOf: "}\n".utf8)
    return true
  }

  // MARK: JSON

  private func appendRecord(
    _ record: SourceRecord, _ triples: [Triple], _ windows: Int, to out: inout [UInt8]
  ) {
    out.append(contentsOf: "{\"version\": \(ExtractionRecord.version), \"source\": ".utf8)
    append(record.location, to: &out)
    out.append(contentsOf: ", \"text\": ".utf8)
    appendJSON(record.text, to: &out)
    let offset = OffsetConverter(record.text, unit)
    out.append(contentsOf: ", \"offset_unit\": \"\(unit.rawValue)\", \"triples\": [".utf8)
    for (index, triple) in triples.enumerated() {
      if index > 0 { out.append(contentsOf: ", ".utf8) }
      append(triple, offset, to: &out)
    }
    out.append(UInt8(ascii: "]"))
    if windows > 1 { out.append(contentsOf: ", \"windows\": \(windows)".utf8) }
    appendCarried(record.carried, to: &out)
    out.append(contentsOf: "}\n".utf8)
  }

  private func append(_ location: SourceLocation, to out: inout [UInt8]) {
    out.append(contentsOf: "{\"file\": ".utf8)
    appendJSON(location.file, to: &out)
    out.append(contentsOf: ", \"line\": \(location.line), \"byte\": \(location.byte)}".utf8)
  }

  private func append(_ triple: Triple, _ offset: OffsetConverter, to out: inout [UInt8]) {
    out.append(contentsOf: "{\"subject\": ".utf8)
    append(triple.subject, offset, to: &out)
    out.append(contentsOf: ", \"predicate\": ".utf8)
    appendJSON(triple.predicate, to: &out)
    out.append(contentsOf: ", \"object\": ".utf8)
    append(triple.object, offset, to: &out)
    if let types = triple.types {
      out.append(contentsOf: ", \"subject_type\": ".utf8)
      appendJSON(types.subject, to: &out)
      out.append(contentsOf: ", \"object_type\": ".utf8)
      appendJSON(types.object, to: &out)
    }
    let score = "\(triple.score)"
    out.append(contentsOf: ", \"score\": \(score), \"confidence\": \(triple.confidence)}".utf8)
  }

  private func append(_ mention: Mention, _ offset: OffsetConverter, to out: inout [UInt8]) {
    out.append(contentsOf: "{\"text\": ".utf8)
    appendJSON(mention.text, to: &out)
    let (start, end) = (offset(mention.range.lowerBound), offset(mention.range.upperBound))
    out.append(contentsOf: ", \"start\": \(start), \"end\": \(end)}".utf8)
  }

  private func appendDuIE(_ record: SourceRecord, _ triples: [Triple], to out: inout [UInt8]) {
    out.append(contentsOf: "{\"text\": ".utf8)
    appendJSON(record.text, to: &out)
    out.append(contentsOf: ", \"spo_list\": [".utf8)
    var seen: Set<[String]> = []
    for triple in triples {
      let key = [triple.subject.text, triple.predicate, triple.object.text]
      guard seen.insert(key).inserted else { continue }
      out.append(contentsOf: (seen.count > 1 ? ", {" : "{").utf8)
      for (index, name) in ["subject", "predicate", "object"].enumerated() {
        out.append(contentsOf: "\(index > 0 ? ", " : "")\"\(name)\": ".utf8)
        appendJSON(key[index], to: &out)
      }
      out.append(UInt8(ascii: "}"))
    }
    out.append(contentsOf: "]}\n".utf8)
  }

  // MARK: Rows

  private static let columns = [
    "file", "line", "subject", "subject_start_UNIT", "subject_end_UNIT", "predicate", "object",
    "object_start_UNIT", "object_end_UNIT", "score", "confidence",
  ]

  private func appendRows(_ record: SourceRecord, _ triples: [Triple], to out: inout [UInt8]) {
    let offset = OffsetConverter(record.text, unit)
    for triple in triples {
      let (s, o) = (triple.subject, triple.object)
      let fields = [
        plain(record.location.file), "\(record.location.line)", plain(s.text),
        "\(offset(s.range.lowerBound))", "\(offset(s.range.upperBound))", plain(triple.predicate),
        plain(o.text), "\(offset(o.range.lowerBound))", "\(offset(o.range.upperBound))",
        "\(triple.score)", "\(triple.confidence)",
      ]
      append(row: fields, to: &out)
    }
  }

  /// A text that Excel does not take for a formula.
  private func plain(_ text: String) -> String {
    guard isForExcel, let first = text.utf8.first, "=+-@\t\r".utf8.contains(first) else {
      return text
    }
    return "'" + text
  }

  private func append(row: [String], to out: inout [UInt8]) {
    for (index, field) in row.enumerated() {
      if index > 0 { out.append(format == .csv ? UInt8(ascii: ",") : 0x09) }
      if format == .csv { appendCSV(field, to: &out) } else { appendTSV(field, to: &out) }
    }
    out.append(0x0A)
  }
}
