internal import DocumentIO
internal import Evaluation
internal import Texts

/// The lines of a file that is compared text by text, where a byte that is misread is a triple that
/// is not found: UTF-8 without a byte order mark, or an error with its line.
struct EvalLines {
  private let path: String
  private let reader: LineReader
  private static let longestLine = 64 << 20

  init(path: String) throws {
    self.path = path
    reader = try LineReader(path: path, limit: Self.longestLine)
  }

  /// The next line without the mark that may begin a file.
  func next() throws -> LineReader.Line? {
    guard var line = try reader.next() else { return nil }
    guard !line.isOverlong else {
      throw malformed(line, "has \(line.byteCount) bytes, expected at most \(Self.longestLine)")
    }
    if line.number == 1 {
      if let encoding = TextFile.encoding(ofStart: line.bytes) {
        throw TripleFile.Malformed(
          description:
            "\(path) is \(encoding), expected UTF-8: iconv -f \(encoding) -t UTF-8 '\(path)'")
      }
      if line.bytes.starts(with: [0xEF, 0xBB, 0xBF]) { line.bytes.removeFirst(3) }
    }
    if let byte = line.bytes.firstIndex(of: 0) {
      throw malformed(line, "has a NUL at byte \(byte); UTF-16 has them, expected UTF-8")
    }
    guard isUTF8(line.bytes) else {
      throw malformed(
        line,
        "is not valid UTF-8; if the file is GBK: iconv -f GB18030 -t UTF-8 '\(path)'")
    }
    return line
  }

  /// A line's name in messages.
  func place(_ line: LineReader.Line) -> String { "\(path), line \(line.number)" }

  private func malformed(_ line: LineReader.Line, _ fault: String) -> TripleFile.Malformed {
    TripleFile.Malformed(description: "\(place(line)) \(fault)")
  }

  private func isUTF8(_ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBufferPointer { String(validating: $0, as: UTF8.self) != nil }
  }

  /// The other names of entities in a tab-separated file; none without a file.
  static func aliases(_ path: String?) throws -> Aliases {
    guard let path else { return Aliases() }
    let lines = try EvalLines(path: path)
    var texts: [String] = []
    while let line = try lines.next() {
      // A carriage return ends a line, too, as in Python.
      texts += line.bytes.split(separator: 0x0D).map { String(decoding: $0, as: UTF8.self) }
    }
    return Aliases(lines: texts)
  }
}
