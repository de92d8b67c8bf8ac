internal import ArgumentParser
internal import Triton

/// Headers as people write them: `NAME=VALUE`, or `NAME: VALUE` as curl has it.
///
/// No message of it shows a line: what has no separator may be the secret itself.
struct HeaderLines {
  private let headers: [(place: String, name: String, value: String)]

  /// Lines of a file or a variable; empty ones and those that begin with # count for nothing.
  init(text: String, from source: String) throws {
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    try self.init(
      lines.enumerated().compactMap { number, line in
        let line = line.trimmingBlanks
        return line.isEmpty || line.hasPrefix("#") ? nil : ("\(source) line \(number + 1)", line)
      })
  }

  /// Words of the command line.
  init(_ words: [String], from source: String) throws {
    try self.init(
      words.enumerated().map { number, word in
        (words.count == 1 ? source : "\(source) number \(number + 1)", word[...])
      })
  }

  private init(_ lines: [(place: String, line: Substring)]) throws {
    headers = try lines.map { place, line in
      guard let separator = line.firstIndex(where: { $0 == "=" || $0 == ":" }) else {
        throw ValidationError("\(place) has neither = nor :, expected NAME=VALUE or NAME: VALUE")
      }
      let name = String(line[..<separator])
      guard !name.isEmpty else {
        throw ValidationError("\(place) has no name, expected NAME=VALUE or NAME: VALUE")
      }
      let rest = line[line.index(after: separator)...]
      return (place, name, String(line[separator] == ":" ? rest.trimmingBlanks : rest))
    }
    for (place, name, value) in headers {
      let header = Metadata([(key: name, value: value)])
      if let fault = header.fault { throw ValidationError("\(place): \(fault)") }
    }
  }

  func add(to metadata: inout Metadata) {
    for (_, name, value) in headers { metadata.append(name, value) }
  }
}

extension Substring {
  fileprivate var trimmingBlanks: Substring {
    var rest = drop { $0 == " " || $0 == "\t" }
    while rest.last == " " || rest.last == "\t" { rest.removeLast() }
    return rest
  }
}
