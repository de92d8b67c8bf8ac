internal import Foundation

/// An input file and its size, where it has one.
public struct InputFile: Sendable, Hashable {
  /// The path, `-` for standard input.
  public var path: String
  /// Bytes as they lie on disk; nil for standard input and pipes.
  public var byteCount: Int?
}

/// The files that the given inputs name, in order: files, directories (all files below them with
/// an ending that this program reads, sorted by path), glob patterns, and `-`.
///
/// - Throws: `InputOutputError` for an input that is not there or gives no readable file.
public func discoverInputs(_ inputs: [String]) throws -> [InputFile] {
  try inputs.flatMap { input in
    if input == "-" { return [InputFile(path: "-", byteCount: nil)] }
    var isDirectory: ObjCBool = false
    if FileManager.default.fileExists(atPath: input, isDirectory: &isDirectory) {
      return isDirectory.boolValue ? try filesBelow(input) : [try file(input)]
    }
    let matches = expand(input)
    guard !matches.isEmpty else {
      throw InputOutputError(.input, "there is no file, directory or match for \(input)")
    }
    return try matches.map(file)
  }
}

private let endings = ["txt", "jsonl", "ndjson", "json", "csv", "tsv"]

private func filesBelow(_ directory: String) throws -> [InputFile] {
  let names = FileManager.default.enumerator(atPath: directory)?.compactMap { $0 as? String } ?? []
  let known = names.filter { name in
    endings.contains { name.hasSuffix(".\($0)") || name.hasSuffix(".\($0).gz") }
  }
  guard !known.isEmpty else {
    throw InputOutputError(
      .input,
      "\(directory) holds no file ending in \(endings.joined(separator: ", ")), "
        + "with or without .gz")
  }
  return try known.sorted().map { try file("\(directory)/\($0)") }
}

private func file(_ path: String) throws -> InputFile {
  guard FileManager.default.isReadableFile(atPath: path) else {
    throw InputOutputError(.input, "\(path) cannot be read: permission denied")
  }
  let attributes = try? FileManager.default.attributesOfItem(atPath: path)
  let isRegular = attributes?[.type] as? FileAttributeType == .typeRegular
  return InputFile(path: path, byteCount: isRegular ? attributes?[.size] as? Int : nil)
}

private func expand(_ pattern: String) -> [String] {
  var matches = glob_t()
  defer { globfree(&matches) }
  guard glob(pattern, 0, nil, &matches) == 0 else { return [] }
  return (0..<Int(matches.gl_pathc)).compactMap { matches.gl_pathv[$0].map { String(cString: $0) } }
}
