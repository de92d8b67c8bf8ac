/// How a file holds its documents.
public enum InputFormat: String, Sendable, CaseIterable {
  /// One document a line.
  case text
  /// One JSON object a line.
  case jsonl
  /// Comma-separated with a header (RFC 4180).
  case csv
  /// Tab-separated with a header; quotes are bytes as any other.
  case tsv

  /// The endings by which files of a directory are known, in any case, each also with one of
  /// `compressions` after it.
  public static let endings = ["txt", "jsonl", "ndjson", "jsonlines", "jl", "json", "csv", "tsv"]
  /// Endings of files that are decompressed.
  public static let compressions = ["gz", "zst"]

  /// The format that a file's name tells, whatever the case of its ending and with a compression
  /// put aside; nil when it tells none.
  public init?(name: FileName) {
    var parts = name.lastComponent.text.split(separator: ".").map { $0.lowercased() }
    if parts.count > 1, Self.compressions.contains(parts[parts.count - 1]) { parts.removeLast() }
    guard parts.count > 1 || name.lastComponent.bytes.first == UInt8(ascii: "."),
      let ending = parts.last
    else { return nil }
    switch ending {
    case "txt": self = .text
    case "jsonl", "ndjson", "jsonlines", "jl", "json": self = .jsonl
    case "csv": self = .csv
    case "tsv": self = .tsv
    default: return nil
    }
  }

  /// Whether a name says that the file is compressed in a way that is read.
  static func isCompressed(_ name: FileName) -> Bool {
    let lower = name.lastComponent.text.lowercased()
    return compressions.contains { lower.hasSuffix(".\($0)") }
  }
}
