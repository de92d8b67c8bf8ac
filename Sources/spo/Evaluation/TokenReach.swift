internal import Evaluation
internal import Foundation
internal import WordPiece

/// What a bundle's tokens and window allow, and how it makes confidences.
struct TokenReach: Reach {
  let tokenizer: BertTokenizer
  /// Tokens of a window, `[CLS]` and `[SEP]` not counted.
  let window: Int
  let temperature: Double

  func obstacle(_ text: String, _ statement: Statement) -> ErrorClass? {
    let lower = text.lowercased()
    let offsets = Array(tokenizer.encode(lower).offsets.dropFirst().dropLast())
    let subjects = spans(of: statement.subject, in: lower, offsets)
    let objects = spans(of: statement.value, in: lower, offsets)
    let extents = subjects.flatMap { s in
      objects.map { o in max(s.upperBound, o.upperBound) - min(s.lowerBound, o.lowerBound) }
    }
    guard let least = extents.min() else { return .impossible }
    return least > window ? .window : nil
  }

  /// The tokens that are exactly the mention, at each of its occurrences.
  private func spans(
    of mention: String, in text: String, _ offsets: [Range<Int>]
  ) -> [Range<Int>] {
    let (bytes, needle) = (Array(text.utf8), Array(mention.utf8))
    guard !needle.isEmpty, bytes.count >= needle.count else { return [] }
    return (0...bytes.count - needle.count).compactMap { start in
      guard bytes[start..<start + needle.count].elementsEqual(needle),
        let first = offsets.firstIndex(where: { $0.lowerBound == start }),
        let last = offsets.lastIndex(where: { $0.upperBound == start + needle.count })
      else { return nil }
      return first <= last ? first..<last + 1 : nil
    }
  }
}
