internal import CSHA256
internal import Foundation

/// The SHA-256 of a file in hexadecimal, read in pieces.
public func sha256(ofFile path: String) throws -> String {
  guard let file = FileHandle(forReadingAtPath: path) else {
    throw InputOutputError(.input, "cannot open \(path) to hash it")
  }
  defer { try? file.close() }
  let context = EVP_MD_CTX_new()
  defer { EVP_MD_CTX_free(context) }
  EVP_DigestInit_ex(context, EVP_sha256(), nil)
  while let piece = try file.read(upToCount: 1 << 20), !piece.isEmpty {
    piece.withUnsafeBytes { _ = EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
  }
  var digest = [UInt8](repeating: 0, count: 32)
  EVP_DigestFinal_ex(context, &digest, nil)
  return digest.map { String(format: "%02x", $0) }.joined()
}
