internal import ArgumentParser
internal import DocumentIO
internal import Foundation

extension RecordSource {
  /// The inputs of a command, standard input where none are named, without what it writes.
  ///
  /// - Throws: `InputOutputError` when an input names nothing, or an output is an input.
  static func inputs(_ inputs: [String], writing outputs: [OutputPath] = []) throws -> Inputs {
    var found = try discoverInputs((inputs.isEmpty ? ["-"] : inputs).map(FileName.init(argument:)))
    try checkPaths(&found, outputs: outputs)
    return found
  }

  /// The inputs of a command that may be given texts instead.
  static func inputs(
    _ inputs: [String], texts: [String], writing outputs: [OutputPath]
  ) throws -> Inputs {
    guard !texts.isEmpty else { return try Self.inputs(inputs, writing: outputs) }
    var none = Inputs(files: [])
    try checkPaths(&none, outputs: outputs)
    return none
  }

  /// The records of a command: texts where there are any, else those of its inputs.
  static func of(
    _ inputs: [String], texts: [String], writing outputs: [OutputPath] = [],
    options: RecordReader.Options
  ) throws -> RecordSource {
    let found = try Self.inputs(inputs, texts: texts, writing: outputs)
    return texts.isEmpty
      ? RecordSource(found, options: options) : RecordSource(texts: texts, name: "--text")
  }

  /// What ends a command whose inputs have all been told to be unreadable.
  static let nothingRead = InputOutputError(.input, "nothing could be read; see above")

  /// The texts of the first records, for commands that measure; rejects are told and left out.
  static func texts(of inputs: [String], field: String, limit: Int) async throws -> [String] {
    var options = RecordReader.Options()
    options.textField = field
    let source = RecordSource(try Self.inputs(inputs), options: options)
    var texts: [String] = []
    while texts.count < limit, let item = try await source.next() {
      switch item {
      case .record(let record): texts.append(record.text)
      case .reject(let reject): reject.say()
      case .notice(let notice): Terminal.say(notice.description)
      }
    }
    guard !texts.isEmpty else { throw ValidationError("there are no documents in the input") }
    return texts
  }
}

extension FileName {
  /// The name that an argument of this program was, byte for byte: Swift's own copies of the
  /// arguments have replaced what is no UTF-8.
  init(argument: String) {
    let raw = UnsafeBufferPointer(start: CommandLine.unsafeArgv, count: Int(CommandLine.argc))
    let bytes = raw.lazy.compactMap { $0 }.first { String(cString: $0) == argument }
    guard argument.unicodeScalars.contains("\u{FFFD}"), let bytes else {
      self.init(argument)
      return
    }
    self.init(bytes: UnsafeRawBufferPointer(start: bytes, count: strlen(bytes)))
  }
}
