/// A file to read, as it was found.
public struct InputFile: Sendable, Hashable {
  /// Its name, `-` for standard input.
  public var name: FileName
  /// Bytes as they lie on disk; nil for standard input and pipes.
  public var byteCount: Int?
  /// Whether it was named itself, not found in a directory or by a pattern.
  public var isNamed: Bool
  /// Which file it is, where that is known of a regular file.
  public var identity: FileIdentity?

  /// A file by its name.
  public init(
    _ name: FileName, byteCount: Int? = nil, isNamed: Bool = true, identity: FileIdentity? = nil
  ) {
    (self.name, self.byteCount) = (name, byteCount)
    (self.isNamed, self.identity) = (isNamed, identity)
  }

  /// Standard input.
  public static let standardInput = InputFile(FileName("-"))

  /// Whether it is standard input.
  public var isStandardInput: Bool { name == Self.standardInput.name }

  /// Throws where only all of it can be read, from its beginning.
  func checkCanBeCut(_ system: SystemCalls) throws(InputOutputError) {
    if isStandardInput { throw Self.cannotBeCut(shown) }
    guard byteCount == nil else { return }
    // One that cannot be looked at is told by its reader.
    guard let status = try? system.patient.status(name, true), status.kind != .regular else {
      return
    }
    throw Self.cannotBeCut("\(shown), a \(status.kind),")
  }

  /// Why only all of something can be read.
  static func cannotBeCut(_ shown: String) -> InputOutputError {
    InputOutputError(.input, "\(shown) cannot be resumed or cut; \(saving)")
  }

  /// What a user does with what can only be read once.
  static let saving = "save it in a file and name that"

  /// The name in messages.
  var shown: String { isStandardInput ? "standard input" : terminalText(name.text) }
}

/// The files that were found, and what is to be said of those that were not.
public struct Inputs: Sendable {
  /// Them, in the order of reading.
  public var files: [InputFile]
  /// What could not be read or was left out.
  public var notices: [InputNotice]

  /// Files.
  public init(files: [InputFile], notices: [InputNotice] = []) {
    (self.files, self.notices) = (files, notices)
  }

  /// Bytes of all files, nil where one has no size.
  public var byteCount: Int? {
    let sizes = files.map(\.byteCount)
    return sizes.contains(nil) ? nil : sizes.reduce(0) { $0 + ($1 ?? 0) }
  }
}
