internal import ArgumentParser
internal import DocumentIO
internal import Foundation

/// The file of a report's page: no input's, and replaced only by a page that is whole.
struct PageFile {
  private let path: String

  /// Looks at the place before anything is computed.
  ///
  /// - Throws: `ValidationError` when it is an input or standard output, by any name.
  init(path: String, inputs: [String]) throws {
    guard path != "-" else {
      throw ValidationError("--html needs a file of its own; standard output has the report")
    }
    // Where links lead: the file is replaced, not the link.
    self.path =
      realpath(path, nil).map { resolved in
        defer { free(resolved) }
        return String(cString: resolved)
      } ?? path
    var own = stat()
    guard stat(path, &own) == 0, own.st_mode & S_IFMT == S_IFREG else { return }
    func isSame(_ other: stat) -> Bool { (other.st_dev, other.st_ino) == (own.st_dev, own.st_ino) }
    for input in inputs {
      var other = stat()
      if stat(input, &other) == 0, isSame(other) {
        throw ValidationError("--html \(path) is the input \(input), which it would replace")
      }
    }
    var output = stat()
    if fstat(STDOUT_FILENO, &output) == 0, isSame(output) {
      throw ValidationError("--html \(path) is where standard output goes; name another file")
    }
  }

  /// Writes the page under a temporary name beside its place, and then renames it.
  ///
  /// - Throws: `InputOutputError`; what was there before is then still there.
  func write(_ page: String) throws {
    try OutputFile.write(Array(page.utf8), to: FileName(path))
  }
}
