/// The vocabulary as two tries over normalised scalars: word starts, and `##` continuations.
///
/// Edges live in one open-addressed hash table keyed by node and scalar.
struct TokenTrie {
  static let start: UInt32 = 0
  static let continuation: UInt32 = 1
  static let none = UInt32.max

  /// The token id that ends at each node, `none` where no token does.
  private(set) var ids: [UInt32] = [none, none]
  private(set) var keys: [UInt64]
  private(set) var children: [UInt32]
  let mask: Int

  init(_ vocabulary: Vocabulary) {
    // At most one edge for each scalar of each token, in a table at most half full.
    let edges = vocabulary.tokens.reduce(0) { $0 + $1.unicodeScalars.count }
    var size = 1024
    while size < 2 * edges { size *= 2 }
    mask = size - 1
    keys = Array(repeating: .max, count: size)
    children = Array(repeating: 0, count: size)
    for (id, token) in vocabulary.tokens.enumerated() {
      let continues = token.utf8.starts(with: "##".utf8) && token.utf8.count > 2
      let scalars = token.unicodeScalars.dropFirst(continues ? 2 : 0)
      insert(scalars, root: continues ? Self.continuation : Self.start, id: UInt32(id))
      // "##x" is also a word start spelled with two number signs; only words that are
      // wholly punctuation could reach it, and those are split, so it is not inserted.
    }
  }

  private mutating func insert(
    _ scalars: some Sequence<Unicode.Scalar>, root: UInt32, id: UInt32
  ) {
    var node = root
    for scalar in scalars { node = addChild(of: node, scalar.value) }
    if node != root { ids[Int(node)] = id }
  }

  private mutating func addChild(of node: UInt32, _ scalar: UInt32) -> UInt32 {
    let key = Self.key(node, scalar)
    var slot = Self.hash(key) & mask
    while keys[slot] != .max {
      if keys[slot] == key { return children[slot] }
      slot = (slot + 1) & mask
    }
    keys[slot] = key
    children[slot] = UInt32(ids.count)
    ids.append(Self.none)
    return children[slot]
  }

  @inline(__always) static func key(_ node: UInt32, _ scalar: UInt32) -> UInt64 {
    UInt64(node) << 21 | UInt64(scalar)
  }

  @inline(__always) static func hash(_ key: UInt64) -> Int {
    Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32)
  }
}

extension TokenTrie {
  /// The arrays of a trie as pointers, for the inner loop.
  struct Lookup {
    let ids: UnsafePointer<UInt32>
    let keys: UnsafePointer<UInt64>
    let children: UnsafePointer<UInt32>
    let mask: Int

    @inline(__always)
    func child(of node: UInt32, _ scalar: UInt32) -> UInt32? {
      let key = TokenTrie.key(node, scalar)
      var slot = TokenTrie.hash(key) & mask
      while keys[slot] != key {
        if keys[slot] == .max { return nil }
        slot = (slot + 1) & mask
      }
      return children[slot]
    }
  }

  @inline(__always)
  func withLookup<Result>(_ body: (Lookup) -> Result) -> Result {
    ids.withUnsafeBufferPointer { ids in
      keys.withUnsafeBufferPointer { keys in
        children.withUnsafeBufferPointer { children in
          body(
            Lookup(
              ids: ids.baseAddress!, keys: keys.baseAddress!, children: children.baseAddress!,
              mask: mask))
        }
      }
    }
  }
}
