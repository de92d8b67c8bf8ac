/// Where a record began.
public struct SourceLocation: Sendable, Hashable {
  /// The file's path as text (see `FileName.text`), `-` for standard input.
  public var file: String
  /// The line, from 1.
  public var line: Int
  /// The byte at which the record begins, from 0, in the decompressed stream.
  public var byte: Int
  /// Which of the files or parts of a `RecordSource` it is in, from 0.
  public var part: Int

  /// A place.
  public init(file: String, line: Int, byte: Int, part: Int = 0) {
    (self.file, self.line, self.byte, self.part) = (file, line, byte, part)
  }
}

/// One document of the input.
public struct SourceRecord: Sendable, Hashable {
  /// Where it stood.
  public var location: SourceLocation
  /// The text to read.
  public var text: String
  /// The record's other fields, name and raw JSON value, in their order.
  public var carried: [CarriedField]

  /// A document.
  public init(location: SourceLocation, text: String, carried: [CarriedField] = []) {
    (self.location, self.text, self.carried) = (location, text, carried)
  }
}

/// A field that goes through from input to output as it is.
public struct CarriedField: Sendable, Hashable {
  /// Its name.
  public var name: String
  /// Its value as JSON source text.
  public var json: String

  /// A field.
  public init(name: String, json: String) { (self.name, self.json) = (name, json) }
}

/// A record that cannot be used, kept whole.
public struct Reject: Sendable, Hashable {
  /// Where it stood.
  public var location: SourceLocation
  /// What was expected and what was found.
  public var reason: String
  /// The bytes as they were read.
  public var raw: [UInt8]
  /// How many bytes it had; more than `raw.count` only for a record over the length limit.
  public var byteCount: Int
  /// The fields of the record other than its text, where it could be read that far.
  public var carried: [CarriedField]

  /// A rejected record.
  public init(
    location: SourceLocation, reason: String, raw: [UInt8], byteCount: Int? = nil,
    carried: [CarriedField] = []
  ) {
    (self.location, self.reason, self.raw) = (location, reason, raw)
    (self.byteCount, self.carried) = (byteCount ?? raw.count, carried)
  }

  /// A document that could be read, but not used.
  public init(_ record: SourceRecord, reason: String) {
    self.init(
      location: record.location, reason: reason, raw: Array(record.text.utf8),
      carried: record.carried)
  }
}

/// What reading gives, in the order of the input.
public enum InputItem: Sendable, Hashable {
  /// A document.
  case record(SourceRecord)
  /// A record that is no document.
  case reject(Reject)
  /// What is to be known of a file.
  case notice(InputNotice)

  /// The text to read; nil of an item that is no document.
  public var text: String? { if case .record(let record) = self { record.text } else { nil } }
}

/// What is to be known of an input: that it cannot be read, or not all of it, or how it was read.
public struct InputNotice: Sendable, Hashable, CustomStringConvertible {
  /// A sentence that names the file, for a terminal: control characters are escaped.
  public var description: String
  /// Whether something that was asked for has not been read.
  public var isFailure: Bool

  /// A notice.
  public init(_ description: String, isFailure: Bool) {
    (self.description, self.isFailure) = (terminalText(description), isFailure)
  }
}

/// Why reading or writing cannot go on.
public struct InputOutputError: Error, CustomStringConvertible, Equatable {
  /// What failed.
  public enum Kind: Sendable {
    /// The input cannot be opened or is damaged.
    case input
    /// One path is asked to be two things.
    case conflict
    /// The output cannot be written.
    case output
    /// The reader of the output has gone.
    case closedPipe
  }
  /// What failed.
  public var kind: Kind
  /// What was tried, and the reason.
  public var description: String

  /// An error.
  public init(_ kind: Kind, _ description: String) {
    (self.kind, self.description) = (kind, description)
  }
}
