internal import Digest
internal import Foundation

/// The SHA-256 of a file in hexadecimal, read in pieces.
public func sha256(ofFile path: String) throws -> String {
  guard let file = FileHandle(forReadingAtPath: path) else {
    throw InputOutputError(.input, "cannot open \(path) to hash it")
  }
  defer { try? file.close() }
  let digest = try SHA256()
  while let piece = try file.read(upToCount: 1 << 20), !piece.isEmpty {
    try piece.withUnsafeBytes { try digest.update($0) }
  }
  return try digest.finish()
}
