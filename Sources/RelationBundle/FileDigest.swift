/// The SHA-256 of a file of a bundle as it was read.
public struct FileDigest: Sendable, Hashable, Codable {
  /// The file's name in the bundle.
  public let file: String
  /// 64 hexadecimal digits; nil where the bytes that were read cannot be hashed any more.
  public let sha256: String?
  /// Why there is no hash: the file was overwritten or truncated since.
  public let note: String?
}
