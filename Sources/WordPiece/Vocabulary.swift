public import Foundation
internal import Texts

/// The tokens of a BERT model, in the order of their ids.
public struct Vocabulary: Sendable {
  /// Every token; its index is its id.
  public let tokens: [String]
  /// The id of `[PAD]`, which fills the tail of shorter rows.
  public let padding: Int32
  /// The id of `[UNK]`, for a word that no tokens spell.
  public let unknown: Int32
  /// The id of `[CLS]`, the first token of every row.
  public let classifier: Int32
  /// The id of `[SEP]`, the last token of every row.
  public let separator: Int32
  /// The id of `[MASK]`, where the vocabulary has one.
  public let mask: Int32?

  private let ids: [ExactText: Int32]

  /// A vocabulary from its tokens; of a repeated token the last id is used, as the reference does.
  ///
  /// - Throws: `VocabularyError` when `[PAD]`, `[UNK]`, `[CLS]` or `[SEP]` is missing.
  public init(tokens: [String]) throws {
    var ids: [ExactText: Int32] = [:]
    ids.reserveCapacity(tokens.count)
    for (id, token) in tokens.enumerated() { ids[ExactText(token)] = Int32(id) }
    func required(_ token: String) throws -> Int32 {
      guard let id = ids[ExactText(token)] else {
        throw VocabularyError.missingSpecialToken(token, count: tokens.count)
      }
      return id
    }
    padding = try required("[PAD]")
    unknown = try required("[UNK]")
    classifier = try required("[CLS]")
    separator = try required("[SEP]")
    mask = ids[ExactText("[MASK]")]
    self.tokens = tokens
    self.ids = ids
  }

  /// More tokens than any vocabulary has.
  public static let mostTokens = 2_000_000
  /// A longer line of a `vocab.txt` is no token.
  public static let longestToken = 4_096

  /// Reads a `vocab.txt`: UTF-8, one token a line, the line number from 0 being the id.
  ///
  /// - Parameter limit: the most tokens, such as the rows of a model's embedding table.
  /// - Throws: `VocabularyError` when the file cannot be read, has more tokens, has a token twice or
  ///   lacks a special token.
  public init(contentsOf file: URL, atMost limit: Int = mostTokens) throws {
    let bytes: [UInt8]
    do { bytes = try TextFile.bytes(path: file.path, atMost: 1 << 30) } catch {
      throw VocabularyError.unreadable(file.path, reason: error.description)
    }
    // Counted before any token is made: a wrong file may have many millions of lines.
    let count = bytes.count { $0 == 0x0A } + (bytes.last == 0x0A || bytes.isEmpty ? 0 : 1)
    guard count <= limit else {
      throw VocabularyError.tooManyTokens(file.path, count: count, limit: limit)
    }
    try self.init(tokens: try Self.tokens(bytes, file.path, count))
    try requireDistinct(file.path)
  }

  private static func tokens(_ bytes: [UInt8], _ path: String, _ count: Int) throws -> [String] {
    var tokens: [String] = []
    tokens.reserveCapacity(count)
    var start = 0
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
      guard end - start <= Self.longestToken else {
        throw VocabularyError.unreadable(
          path, reason: "line \(tokens.count + 1) has \(end - start) bytes, no token is that long")
      }
      var line = bytes[start..<end]
      while let last = line.last, last == 0x0D || last == 0x20 || last == 0x09 { line.removeLast() }
      tokens.append(String(decoding: line, as: UTF8.self))
      start = end + 1
    }
    return tokens
  }

  /// Of a token that a file has twice the ids differ by reader; an empty line is none.
  private func requireDistinct(_ path: String) throws {
    for (line, token) in tokens.enumerated() where !token.isEmpty {
      guard let last = id(of: token), last != line else { continue }
      throw VocabularyError.duplicateToken(path, token, first: line + 1, second: Int(last) + 1)
    }
  }

  /// The number of ids.
  public var count: Int { tokens.count }

  /// The id of a token, `nil` when the vocabulary lacks it.
  public func id(of token: String) -> Int32? { ids[ExactText(token)] }
}

/// Why a vocabulary cannot be used.
public enum VocabularyError: Error, Equatable, CustomStringConvertible {
  /// The file could not be read as UTF-8 text.
  case unreadable(String, reason: String)
  /// The file has more lines than there may be tokens.
  case tooManyTokens(String, count: Int, limit: Int)
  /// Two lines, counted from 1, are the same token.
  case duplicateToken(String, String, first: Int, second: Int)
  /// A token that every BERT input needs is absent.
  case missingSpecialToken(String, count: Int)

  /// What was expected, what was found and what to do.
  public var description: String {
    switch self {
    case .unreadable(let path, let reason):
      "cannot read the vocabulary \(path): \(reason)"
    case .tooManyTokens(let path, let count, let limit):
      "the vocabulary \(path) has \(count) tokens, expected at most \(limit); "
        + "use the vocab.txt that the model was trained with"
    case .duplicateToken(let path, let token, let first, let second):
      "the vocabulary \(path) has \(token) twice, in lines \(first) and \(second); "
        + "a token has one id"
    case .missingSpecialToken(let token, let count):
      "the vocabulary has \(count) tokens but no \(token); "
        + "use the vocab.txt that the model was trained with"
    }
  }
}
