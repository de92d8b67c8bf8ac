/// How a file holds its documents.
public enum InputFormat: String, Sendable, CaseIterable {
  /// One document a line.
  case text
  /// One JSON object a line.
  case jsonl
  /// Comma-separated with a header.
  case csv
  /// Tab-separated with a header.
  case tsv

  /// The format that a file's name tells, a `.gz` at its end put aside; text when it tells none.
  public init(path: String) {
    let name = path.hasSuffix(".gz") ? String(path.dropLast(3)) : path
    let ending = name.split(separator: ".").last.map(String.init) ?? ""
    self =
      ["jsonl": .jsonl, "ndjson": .jsonl, "json": .jsonl, "csv": .csv, "tsv": .tsv][ending]
      ?? .text
  }
}

/// The documents of one file, one record after the other, the bad ones named.
public final class RecordReader {
  /// How records are read.
  public struct Options: Sendable {
    /// The field of a JSON object, or the column, that holds the text.
    public var textField = "text"
    /// The most bytes of a record.
    public var longestRecord = 16 << 20
    /// The defaults.
    public init() {}
  }

  private let path: String
  private let format: InputFormat
  private let options: Options
  private let lines: LineReader
  private var header: [String]?

  /// Opens a file, `-` being standard input; `format` nil goes by the name.
  public init(path: String, format: InputFormat?, options: Options = .init()) throws {
    (self.path, self.options) = (path, options)
    self.format = format ?? InputFormat(path: path)
    lines = try LineReader(path: path, limit: options.longestRecord)
  }

  /// Bytes of the file that have been read.
  public var consumedFileBytes: Int { lines.consumedFileBytes }

  /// Whether the next record has not begun to come yet, as on a slow pipe.
  public var wouldWait: Bool { lines.wouldWait }

  /// The next record, nil at the end. Throws only when the file itself cannot be read on.
  public func next() throws -> InputItem? {
    if header == nil, format == .csv || format == .tsv {
      if let bad = try readHeader() { return .reject(bad) }
    }
    guard let line = try record() else { return nil }
    let location = SourceLocation(file: path, line: line.number, byte: line.byte)
    do {
      return .record(try parse(line, location))
    } catch let reason as Unusable {
      return .reject(
        Reject(
          location: location, reason: reason.text, raw: line.bytes, byteCount: line.byteCount))
    }
  }

  private struct Unusable: Error {
    let text: String
  }

  /// The next line, or as many as a quoted field runs over.
  private func record() throws -> LineReader.Line? {
    guard var line = try lines.next() else { return nil }
    guard format == .csv || format == .tsv else { return line }
    while !line.isOverlong, DelimitedParser(delimiter: delimiter).isOpen(line.bytes),
      line.bytes.count < options.longestRecord, let more = try lines.next()
    {
      line.bytes += [0x0A] + more.bytes
      line.byteCount += 1 + more.byteCount
    }
    return line
  }

  private var delimiter: UInt8 { format == .csv ? UInt8(ascii: ",") : 0x09 }

  private func parse(_ line: LineReader.Line, _ location: SourceLocation) throws -> SourceRecord {
    guard !line.isOverlong else {
      throw Unusable(
        text: "the record has \(line.byteCount) bytes, more than the limit of "
          + "\(options.longestRecord) (--max-record-bytes)")
    }
    var bytes = line.bytes
    if bytes.last == 0x0D { bytes.removeLast() }
    if line.number == 1, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
    guard !bytes.isEmpty else { throw Unusable(text: "the line is empty") }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Unusable(text: "the line is not valid UTF-8 (\(firstInvalid(bytes)))")
    }
    switch format {
    case .text: return SourceRecord(location: location, text: text)
    case .jsonl: return try json(bytes, location)
    case .csv, .tsv: return try row(bytes, location)
    }
  }

  private func json(_ bytes: [UInt8], _ location: SourceLocation) throws -> SourceRecord {
    guard let fields = JSONFields(valid: bytes) else {
      throw Unusable(text: "the line is not a JSON object")
    }
    guard let field = fields.members.first(where: { $0.name == options.textField }) else {
      let names = fields.members.map(\.name).joined(separator: ", ")
      throw Unusable(
        text: "the object has no field \"\(options.textField)\"; it has \(names) (--text-field)")
    }
    guard let text = JSONFields.string(field.json) else {
      throw Unusable(text: "field \"\(options.textField)\" is not a string")
    }
    return SourceRecord(
      location: location, text: text,
      carried: fields.members.filter { $0.name != options.textField })
  }

  private func readHeader() throws -> Reject? {
    header = []
    guard let line = try record() else { return nil }
    var bytes = line.bytes
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
    let names = DelimitedParser(delimiter: delimiter).fields(bytes)?.compactMap {
      String(validating: $0, as: UTF8.self)
    }
    header = names ?? []
    guard let names, names.contains(options.textField) else {
      throw InputOutputError(
        .input,
        "\(path) has no column \"\(options.textField)\" in its header "
          + "(\((names ?? []).joined(separator: ", "))); name it with --text-field")
    }
    return nil
  }

  private func row(_ bytes: [UInt8], _ location: SourceLocation) throws -> SourceRecord {
    let names = header ?? []
    guard let fields = DelimitedParser(delimiter: delimiter).fields(bytes) else {
      throw Unusable(text: "the row has a quote where none may stand")
    }
    guard fields.count == names.count else {
      throw Unusable(text: "the row has \(fields.count) fields, the header \(names.count)")
    }
    var record = SourceRecord(location: location, text: "")
    for (name, field) in zip(names, fields) {
      let value = String(decoding: field, as: UTF8.self)
      if name == options.textField {
        record.text = value
      } else {
        var json: [UInt8] = []
        appendJSON(value, to: &json)
        record.carried.append(CarriedField(name: name, json: String(decoding: json, as: UTF8.self)))
      }
    }
    guard !record.text.isEmpty else { throw Unusable(text: "the text column is empty") }
    return record
  }

  /// Where the first byte stands that is not UTF-8.
  private func firstInvalid(_ bytes: [UInt8]) -> String {
    var good = 0
    var codec = UTF8()
    var iterator = bytes.makeIterator()
    while case .scalarValue(let scalar) = codec.decode(&iterator) {
      good += UTF8.width(scalar)
    }
    return "byte \(good) of it is 0x\(String(bytes[min(good, bytes.count - 1)], radix: 16))"
  }
}
