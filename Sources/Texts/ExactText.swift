internal import Glibc

/// A text that equals only itself: Swift's own strings also equal what is canonically equivalent,
/// which vocabularies, schemas and the data sets' scorers tell apart.
public struct ExactText: Hashable, Sendable {
  /// The text.
  public let text: String

  /// A text.
  public init(_ text: String) { self.text = text }

  /// Equality of code points.
  public static func == (a: ExactText, b: ExactText) -> Bool { a.text.isExactly(b.text) }

  /// Hashes the bytes.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(text.utf8.count)
    let isHashed: Void? = text.utf8.withContiguousStorageIfAvailable { bytes in
      hasher.combine(bytes: UnsafeRawBufferPointer(bytes))
    }
    // Only a string that another language lent has no bytes of its own.
    if isHashed == nil { for byte in text.utf8 { hasher.combine(byte) } }
  }
}

extension String {
  /// Whether both have the same code points.
  public func isExactly(_ other: String) -> Bool {
    guard utf8.count == other.utf8.count else { return false }
    return withBytes(other) { memcmp($0.baseAddress!, $1.baseAddress!, $0.count) == 0 } ?? true
  }

  /// Whether the other's code points are among this one's, one after the other.
  public func holds(_ other: String) -> Bool {
    guard utf8.count >= other.utf8.count else { return false }
    return withBytes(other) { own, other in
      (0...own.count - other.count).contains { start in
        memcmp(own.baseAddress! + start, other.baseAddress!, other.count) == 0
      }
    } ?? true
  }

  /// Calls `body` with the bytes of both; nil when the other is empty.
  private func withBytes<Result>(
    _ other: String, _ body: (UnsafeBufferPointer<UInt8>, UnsafeBufferPointer<UInt8>) -> Result
  ) -> Result? {
    guard !isEmpty, !other.isEmpty else { return nil }
    var (own, other) = (self, other)
    return own.withUTF8 { a in other.withUTF8 { b in body(a, b) } }
  }
}
