internal import CSHA256

/// A SHA-256 under way, by libcrypto.
package final class SHA256 {
  private let context: OpaquePointer

  /// A digest of nothing yet.
  package init() throws(DigestError) {
    guard let context = EVP_MD_CTX_new() else { throw DigestError(step: "make a context") }
    self.context = context
    guard EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
      throw DigestError(step: "begin")
    }
  }

  deinit { EVP_MD_CTX_free(context) }

  /// Adds bytes.
  package func update(_ bytes: UnsafeRawBufferPointer) throws(DigestError) {
    guard EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1 else {
      throw DigestError(step: "go on")
    }
  }

  /// The digest of all bytes so far; more may follow.
  package func current() throws(DigestError) -> String {
    let copy = try SHA256()
    guard EVP_MD_CTX_copy_ex(copy.context, context) == 1 else { throw DigestError(step: "copy") }
    return try copy.finish()
  }

  /// The digest of all bytes so far in hexadecimal; ends it.
  package func finish() throws(DigestError) -> String {
    var digest = [UInt8](repeating: 0, count: 32)
    var count: UInt32 = 0
    guard EVP_DigestFinal_ex(context, &digest, &count) == 1, count == 32 else {
      throw DigestError(step: "end")
    }
    let digits = Array("0123456789abcdef".utf8)
    return String(
      decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}

/// libcrypto has refused, as one does that is built or set up without SHA-256.
package struct DigestError: Error, CustomStringConvertible {
  /// What it refused to do.
  package let step: String

  /// The step, and whose refusal it is.
  package var description: String { "libcrypto cannot \(step) a SHA-256" }
}
