/// What a file is that cannot be read as records, and the command that makes such of it.
struct Stranger: Equatable {
  /// What it is.
  var kind: String
  /// What stands between the bytes of the file and text: a command that reads its standard input;
  /// nil where there is none.
  var filter: String?
  /// A command in place of one with a filter, `FILE` being the file.
  var command: String?
}

/// What the beginning of a file says of its kind; nil for text that can be read.
///
/// - Parameters:
///   - bytes: the beginning, decompressed where the file is compressed in a way that is read.
///   - isWhole: whether that is all of it.
func stranger(_ bytes: ArraySlice<UInt8>, isWhole: Bool) -> Stranger? {
  binaryKinds.first { $0.matches(bytes) }?.stranger ?? strangeEncoding(bytes, isWhole: isWhole)
}

/// A file format told by bytes at a fixed place.
private struct BinaryKind {
  var magic: [UInt8]
  var place = 0
  /// What must follow the magic for it to be no text: any byte of these; all when empty.
  var next: [UInt8] = []
  var stranger: Stranger

  func matches(_ bytes: ArraySlice<UInt8>) -> Bool {
    let rest = bytes.dropFirst(place)
    guard rest.starts(with: magic) else { return false }
    return next.isEmpty || rest.dropFirst(magic.count).first.map(next.contains) ?? false
  }
}

private let binaryKinds: [BinaryKind] = [
  BinaryKind(
    magic: [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00],
    stranger: Stranger(kind: "xz-compressed", filter: "xz -dc")),
  BinaryKind(
    magic: Array("BZh".utf8), next: Array("123456789".utf8),
    stranger: Stranger(kind: "bzip2-compressed", filter: "bzip2 -dc")),
  BinaryKind(
    magic: [0x1F, 0x8B], stranger: Stranger(kind: "gzip within gzip", filter: "gzip -dc")),
  BinaryKind(
    magic: [0x28, 0xB5, 0x2F, 0xFD],
    stranger: Stranger(kind: "zstd within another compression", filter: "zstd -dc")),
  BinaryKind(
    magic: [0x1F, 0x9D], stranger: Stranger(kind: "compress'ed (.Z)", filter: "gzip -dc")),
  BinaryKind(
    magic: [0x04, 0x22, 0x4D, 0x18],
    stranger: Stranger(kind: "lz4-compressed", filter: "lz4 -dc")),
  BinaryKind(
    magic: Array("LZIP".utf8), next: [0, 1],
    stranger: Stranger(kind: "lzip-compressed", filter: "lzip -dc")),
  BinaryKind(
    magic: [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C],
    stranger: Stranger(kind: "a 7z archive", command: "7z e -so FILE")),
  BinaryKind(
    magic: Array("Rar!".utf8) + [0x1A, 0x07],
    stranger: Stranger(kind: "a RAR archive", command: "unrar p -inul FILE")),
  BinaryKind(
    magic: Array("ustar".utf8), place: 257,
    stranger: Stranger(kind: "a tar archive", command: "tar -xf FILE")),
  BinaryKind(
    magic: Array("%PDF-".utf8), next: Array("12".utf8),
    stranger: Stranger(kind: "a PDF document", command: "pdftotext FILE -")),
  BinaryKind(
    magic: [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1],
    stranger: Stranger(
      kind: "an old Office document (.doc, .xls)", command: "soffice --convert-to csv FILE")),
  BinaryKind(
    magic: Array("PAR1".utf8), next: Array(0..<0x20),
    stranger: Stranger(
      kind: "a Parquet file",
      command: "duckdb -c \"COPY (FROM 'FILE') TO 'converted.jsonl' (FORMAT json)\"")),
  BinaryKind(
    magic: Array("SQLite format 3".utf8) + [0],
    stranger: Stranger(kind: "an SQLite database", command: "sqlite3 -csv -header FILE")),
]

/// A zip archive by its first bytes; Office documents are such.
func zipped(_ bytes: ArraySlice<UInt8>, name: FileName) -> Stranger? {
  let signatures: [[UInt8]] = [[3, 4], [5, 6], [7, 8]]
  guard bytes.starts(with: Array("PK".utf8)),
    signatures.contains(where: { bytes.dropFirst(2).starts(with: $0) })
  else { return nil }
  let lower = name.text.lowercased()
  if lower.hasSuffix(".xlsx") || lower.hasSuffix(".ods") {
    return Stranger(
      kind: "a spreadsheet (a zip archive)",
      command: "soffice --headless --convert-to csv:\"Text - txt - csv (StarCalc)\":44,34,76 FILE")
  }
  if lower.hasSuffix(".docx") || lower.hasSuffix(".odt") {
    return Stranger(
      kind: "a text document (a zip archive)",
      command: "soffice --headless --convert-to txt:Text FILE")
  }
  return Stranger(kind: "a zip archive", command: "unzip -p FILE")
}

/// Whether bytes of JSON Lines are one JSON value over several lines, or an array.
///
/// Only where the first line is no whole value: a file of arrays, one a line, has a bad record in
/// each.
func strangeJSON(_ bytes: ArraySlice<UInt8>, isWhole: Bool) -> Stranger? {
  let blanks: [UInt8] = [0x20, 0x09, 0x0D, 0x0A]
  guard let first = bytes.firstIndex(where: { !blanks.contains($0) }) else { return nil }
  let text = Array(bytes[first...])
  guard text[0] == UInt8(ascii: "[") || text[0] == UInt8(ascii: "{") else { return nil }
  let isArray = text[0] == UInt8(ascii: "[")
  let line = text.firstIndex(of: 0x0A) ?? text.count
  var scanner = JSONScanner()
  var isCut = false
  do throws(JSONFault) { try scanner.value(text.span) } catch {
    guard error.isTooShort, !isWhole || isArray else { return nil }
    isCut = true
  }
  if isArray {
    // A whole array in the first line, and something after it: lines of arrays.
    let rest = text[min(scanner.at, text.count)...]
    if !isCut, scanner.at <= line, rest.contains(where: { !blanks.contains($0) }) { return nil }
    return Stranger(kind: "one JSON array", filter: "jq -c '.[]'")
  }
  guard scanner.at > line || isCut && line < text.count else { return nil }
  return Stranger(kind: "JSON over several lines", filter: "jq -c .")
}
