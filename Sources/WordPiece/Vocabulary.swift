public import Foundation

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

  private let ids: [TokenKey: Int32]

  /// A vocabulary from its tokens; of a repeated token the last id is used, as the reference does.
  ///
  /// - Throws: `VocabularyError` when `[PAD]`, `[UNK]`, `[CLS]` or `[SEP]` is missing.
  public init(tokens: [String]) throws {
    var ids: [TokenKey: Int32] = [:]
    ids.reserveCapacity(tokens.count)
    for (id, token) in tokens.enumerated() { ids[TokenKey(token: token)] = Int32(id) }
    func required(_ token: String) throws -> Int32 {
      guard let id = ids[TokenKey(token: token)] else {
        throw VocabularyError.missingSpecialToken(token, count: tokens.count)
      }
      return id
    }
    padding = try required("[PAD]")
    unknown = try required("[UNK]")
    classifier = try required("[CLS]")
    separator = try required("[SEP]")
    mask = ids[TokenKey(token: "[MASK]")]
    self.tokens = tokens
    self.ids = ids
  }

  /// Reads a `vocab.txt`: UTF-8, one token a line, the line number from 0 being the id.
  ///
  /// - Throws: `VocabularyError` when the file cannot be read or lacks a special token.
  public init(contentsOf file: URL) throws {
    let data: Data
    do { data = try Data(contentsOf: file) } catch {
      throw VocabularyError.unreadable(file.path, reason: error.localizedDescription)
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw VocabularyError.unreadable(file.path, reason: "it is not valid UTF-8")
    }
    var lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    try self.init(
      tokens: lines.map { line in
        let end = line.lastIndex { $0 != 0x0D && $0 != 0x20 && $0 != 0x09 }
        return String(end.map { line[...$0] } ?? line.prefix(0)) ?? ""
      })
  }

  /// The number of ids.
  public var count: Int { tokens.count }

  /// The id of a token, `nil` when the vocabulary lacks it.
  public func id(of token: String) -> Int32? { ids[TokenKey(token: token)] }
}

/// A token compared byte by byte: `String` would take canonically equal tokens for one.
private struct TokenKey: Hashable {
  let token: String

  static func == (a: TokenKey, b: TokenKey) -> Bool { a.token.utf8.elementsEqual(b.token.utf8) }

  func hash(into hasher: inout Hasher) {
    for byte in token.utf8 { hasher.combine(byte) }
  }
}

/// Why a vocabulary cannot be used.
public enum VocabularyError: Error, Equatable, CustomStringConvertible {
  /// The file could not be read as UTF-8 text.
  case unreadable(String, reason: String)
  /// A token that every BERT input needs is absent.
  case missingSpecialToken(String, count: Int)

  /// What was expected, what was found and what to do.
  public var description: String {
    switch self {
    case .unreadable(let path, let reason):
      "cannot read the vocabulary \(path): \(reason)"
    case .missingSpecialToken(let token, let count):
      "the vocabulary has \(count) tokens but no \(token); "
        + "use the vocab.txt that the model was trained with"
    }
  }
}
