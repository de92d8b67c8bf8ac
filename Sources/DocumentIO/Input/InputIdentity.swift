internal import Digest
internal import Foundation

/// What tells whether a file is still the one that it was, without reading all of it.
public struct InputIdentity: Sendable, Hashable, Codable {
  /// Its path as text (see `FileName.text`).
  public var path: String
  /// Its bytes, as they lie on disk.
  public var size: Int
  /// When its bytes were changed last, in nanoseconds since 1970.
  public var modified: Int
  /// The SHA-256 of its first and its last `edgeSize` bytes, one after the other.
  public var edges: String
  /// The SHA-256 of all of it, where that was asked for.
  public var whole: String?

  /// How many bytes of the beginning and of the end are looked at.
  public static let edgeSize = 1 << 16

  /// What a file is now.
  ///
  /// - Parameter readsAll: whether all of it is read, too: then a copy with another time of change
  ///   is known to be the same, and a change in the middle that kept the time is seen.
  /// - Throws: `InputOutputError` where it cannot be read or is no regular file.
  public init(of file: FileName, readsAll: Bool = false) throws(InputOutputError) {
    try self.init(of: file, readsAll: readsAll, system: .real)
  }

  package init(
    of file: FileName, readsAll: Bool, system: SystemCalls
  ) throws(InputOutputError) {
    let shown = terminalText(file.text)
    guard file != InputFile.standardInput.name else {
      throw InputFile.cannotBeCut("standard input")
    }
    do {
      let opened = try OpenedFile(file, system: system.patient)
      let status = try opened.status()
      guard status.kind == .regular else {
        throw InputFile.cannotBeCut("\(shown), a \(status.kind),")
      }
      path = file.text
      (size, modified) = (status.size, status.modified)
      let edges = try SHA256()
      try opened.read(0..<min(Self.edgeSize, size)) { try edges.update($0) }
      try opened.read(max(0, size - Self.edgeSize)..<size) { try edges.update($0) }
      self.edges = try edges.finish()
      guard readsAll else { return }
      let whole = try SHA256()
      try opened.read(0..<size) { try whole.update($0) }
      self.whole = try whole.finish()
    } catch let error as InputOutputError {
      throw error
    } catch {
      throw InputOutputError(.input, "cannot tell what \(shown) holds: \(error)")
    }
  }

  /// What is known of a file that cannot be read; its reader tells why.
  public init(unreadable file: InputFile) {
    (path, size, modified) = (file.name.text, file.byteCount ?? 0, 0)
    edges = "unreadable"
  }

  /// What differs from what a file was, as a sentence; nil where it is the same file.
  ///
  /// The time of change does not matter where both have the digest of the whole file.
  public func difference(from old: InputIdentity) -> String? {
    let shown = terminalText(path)
    if path != old.path { return "the input was \(terminalText(old.path)), now it is \(shown)" }
    if size != old.size {
      return "\(shown) had \(grouped(old.size)) bytes, now it has \(grouped(size))"
    }
    if edges != old.edges {
      return "\(shown) has as many bytes as before, but others at its beginning or end"
    }
    if let whole, let oldWhole = old.whole {
      return whole == oldWhole ? nil : "\(shown) has as many bytes as before, but other ones"
    }
    guard modified != old.modified else { return nil }
    let date = Date(timeIntervalSince1970: Double(modified / 1_000_000_000)).formatted(.iso8601)
    return "\(shown) was modified (\(date)), and its bytes may differ"
  }
}

/// A number with commas between thousands.
private func grouped(_ number: Int) -> String {
  var (digits, shown) = (String(number)[...], "")
  while digits.count > 3 {
    shown = ",\(digits.suffix(3))\(shown)"
    digits.removeLast(3)
  }
  return digits + shown
}
