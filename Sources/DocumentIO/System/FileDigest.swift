internal import CSHA256
internal import Foundation

/// The SHA-256 of a file in hexadecimal, read in pieces.
///
/// - Throws: `InputOutputError` when it cannot be read to its end.
public func sha256(ofFile path: String) throws -> String {
  func failed(_ reason: String) -> InputOutputError {
    InputOutputError(.input, "cannot hash \(terminalText(path)): \(reason)")
  }
  guard let file = FileHandle(forReadingAtPath: path) else { throw failed("it cannot be opened") }
  defer { try? file.close() }
  let context = EVP_MD_CTX_new()
  defer { EVP_MD_CTX_free(context) }
  guard EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else { throw failed("no SHA-256") }
  while let piece = try file.read(upToCount: 1 << 20), !piece.isEmpty {
    let isTaken = piece.withUnsafeBytes { EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
    guard isTaken == 1 else { throw failed("SHA-256 failed") }
  }
  var digest = [UInt8](repeating: 0, count: 32)
  guard EVP_DigestFinal_ex(context, &digest, nil) == 1 else { throw failed("SHA-256 failed") }
  return digest.map { String(format: "%02x", $0) }.joined()
}
