internal import CWordPieceTable

/// What becomes of one scalar: a kind in the top three bits, a payload in the other 29.
struct CharacterEntry {
  enum Kind: UInt32 {
    /// Part of a word; the payload is the normalised scalar, or 0 for itself.
    case word
    /// A word of its own; the payload is the normalised scalar, or the token id once bound.
    case isolated
    /// White space.
    case space
    /// Removed. The payload is 0 for what is cleaned away first, else the combining class of an
    /// accent, which canonical reordering still sees.
    case dropped
    /// Removed, but a starter: marks are not reordered across it.
    case blocking
    /// Several scalars, or one that needs a second look; the payload indexes `expansions`.
    case expanded
    /// A surviving mark: combining class << 21 | scalar.
    case mark
    /// A Hangul syllable, decomposed by arithmetic.
    case hangul
  }

  static func make(_ kind: Kind, _ payload: UInt32) -> UInt32 { kind.rawValue << 29 | payload }
  static let payloadMask: UInt32 = (1 << 29) - 1
}

/// The reference's treatment of all scalars, in pages of 256; page 0 is words throughout.
struct CharacterTable {
  /// For `scalar >> 8`, the page number; the page starts at 256 times that in `entries`.
  private(set) var pages = [UInt16](repeating: 0, count: 0x110000 >> 8)
  private(set) var entries = [UInt32](repeating: 0, count: 256)
  /// The results of an `expanded` scalar, each scalar | class << 24.
  private(set) var expansions: [[UInt32]] = []
  /// Combining classes of the marks that survive normalisation.
  private(set) var combiningClasses: [UInt32: UInt32] = [:]

  /// The table as the reference has it, before any vocabulary's ids are put in.
  static let reference = CharacterTable()

  private init() {
    withTable(wp_ranges_rows(), wp_ranges_count) { range in
      let kind = Self.kind(range.value)
      for scalar in range.first...range.last { set(scalar, kind, kind == .dropped ? 0 : scalar) }
    }
    withTable(wp_marks_rows(), wp_marks_count) { marks in
      for scalar in marks.first...marks.last { setMark(scalar, combiningClass: marks.value) }
    }
    withTable(wp_mappings_rows(), wp_mappings_count) { map($0) }
    for scalar in HangulSyllable.all { set(scalar, .hangul, 0) }
  }

  /// The table with a vocabulary's ids for what is a word of its own.
  init(boundTo vocabulary: Vocabulary) {
    var ids: [UInt32: UInt32] = [:]
    ids.reserveCapacity(vocabulary.count)
    for (id, token) in vocabulary.tokens.enumerated() {
      let scalars = token.unicodeScalars
      guard let first = scalars.first, scalars.count == 1 else { continue }
      ids[first.value] = UInt32(id)
    }
    self = .reference
    let unknown = UInt32(vocabulary.unknown)
    bindIsolated { ids[$0] ?? unknown }
  }

  /// Replaces the payload of every `isolated` entry, from its normalized scalar.
  private mutating func bindIsolated(_ id: (UInt32) -> UInt32) {
    for index in entries.indices {
      guard entries[index] >> 29 == CharacterEntry.Kind.isolated.rawValue else { continue }
      let scalar = entries[index] & CharacterEntry.payloadMask
      entries[index] = CharacterEntry.make(.isolated, id(scalar))
    }
  }

  private mutating func set(_ scalar: UInt32, _ kind: CharacterEntry.Kind, _ payload: UInt32) {
    let page = Int(scalar >> 8)
    if pages[page] == 0 {
      pages[page] = UInt16(entries.count >> 8)
      entries.append(contentsOf: repeatElement(0, count: 256))
    }
    entries[Int(pages[page]) << 8 | Int(scalar & 0xFF)] = CharacterEntry.make(kind, payload)
  }

  private mutating func setMark(_ scalar: UInt32, combiningClass: UInt32) {
    if entry(scalar) >> 29 == CharacterEntry.Kind.dropped.rawValue {
      set(scalar, .dropped, combiningClass)
    } else {
      combiningClasses[scalar] = combiningClass
      set(scalar, .mark, combiningClass << 21 | scalar)
    }
  }

  private func entry(_ scalar: UInt32) -> UInt32 {
    entries[Int(pages[Int(scalar >> 8)]) << 8 | Int(scalar & 0xFF)]
  }

  private static func kind(_ value: UInt32) -> CharacterEntry.Kind {
    switch value {
    case UInt32(WP_ISOLATED): .isolated
    case UInt32(WP_SPACE): .space
    case UInt32(WP_BLOCKING): .blocking
    default: .dropped
    }
  }

  private mutating func map(_ mapping: wp_mapping) {
    let cells = mapping.results
    let results = Array([cells.0, cells.1, cells.2, cells.3].prefix(Int(mapping.count)))
    let scalar = results[0] & 0xFF_FFFF
    if results.count == 1, combiningClasses[scalar] == nil, results[0] >> 24 <= WP_ISOLATED {
      set(mapping.scalar, results[0] >> 24 == WP_WORD ? .word : .isolated, scalar)
    } else {
      set(mapping.scalar, .expanded, UInt32(expansions.count))
      expansions.append(results)
    }
  }
}

/// Calls `body` with each row of a constant C table.
private func withTable<Row>(_ first: UnsafePointer<Row>, _ count: UInt32, _ body: (Row) -> Void) {
  UnsafeBufferPointer(start: first, count: Int(count)).forEach(body)
}

/// Hangul syllables and their conjoining jamo, by the arithmetic of Unicode's chapter 3.12.
enum HangulSyllable {
  static let all: ClosedRange<UInt32> = 0xAC00...0xD7A3

  /// The leading and vowel jamo, and the trailing one where there is one.
  static func jamo(_ scalar: UInt32) -> (UInt32, UInt32, UInt32?) {
    let index = scalar - 0xAC00
    let trailing = index % 28
    return (
      0x1100 + index / 588, 0x1161 + index % 588 / 28, trailing == 0 ? nil : 0x11A7 + trailing
    )
  }
}
