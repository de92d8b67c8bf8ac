internal import GlobalPointer

/// Puts bytes into memory that has room for them and for a word more.
struct LineWriter {
  let room: UnsafeMutableRawBufferPointer
  private(set) var count = 0

  /// The room of a pair of offsets: two integers of up to 10 digits, "[", "]", ", " twice.
  static let widestPair = 26

  init(room: UnsafeMutableRawBufferPointer) { self.room = room }

  mutating func put(_ text: String) {
    for byte in text.utf8 {
      room[count] = byte
      count += 1
    }
  }

  /// The forms of some numbers, with ", " between them.
  mutating func put(_ numbers: ArraySlice<Int32>, _ forms: Forms) {
    forms.bytes.withUnsafeBytes { bytes in
      forms.bounds.withUnsafeBufferPointer { bounds in
        for number in numbers {
          let (start, end) = (bounds[Int(number)], bounds[Int(number) + 1])
          // A word at a time: most forms are one.
          for place in stride(from: 0, to: end - start, by: 8) {
            put(word(bytes, start + place), at: place)
          }
          count += end - start
        }
      }
    }
    if !numbers.isEmpty { count -= Forms.separator.count }
  }

  /// Pairs of integers, with ", " between them.
  mutating func put(_ pairs: some Sequence<(UInt32, UInt32)>, _ offset: OffsetWalk) {
    var offset = offset
    Forms.small.withUnsafeBufferPointer { small in
      var isFirst = true
      for (start, end) in pairs {
        put(isFirst ? Self.open : Self.next, isFirst ? 1 : 3)
        isFirst = false
        put(offset(Int(start)), small)
        put(Self.between, 2)
        put(offset(Int(end)), small)
        put(Self.close, 1)
      }
    }
  }

  // "[", ", [", ", " and "]" as words.
  private static let open = UInt64(0x5B)
  private static let next = UInt64(0x5B_202C)
  private static let between = UInt64(0x202C)
  private static let close = UInt64(0x5D)

  /// A number that is not negative: one word up to 9999, digit by digit beyond.
  @inline(__always)
  private mutating func put(_ number: Int, _ small: UnsafeBufferPointer<UInt64>) {
    guard number >= small.count else {
      let word = small[number]
      put(word, Int(word >> 56))
      return
    }
    put("\(number)")
  }

  @inline(__always)
  private func word(_ bytes: UnsafeRawBufferPointer, _ place: Int) -> UInt64 {
    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
  }

  /// The first bytes of a word, lowest first.
  @inline(__always)
  private mutating func put(_ word: UInt64, _ length: Int) {
    put(word, at: 0)
    count += length
  }

  @inline(__always)
  private func put(_ word: UInt64, at place: Int) {
    assert(count + place + 8 <= room.count, "a line was given too little room")
    room.storeBytes(of: word.littleEndian, toByteOffset: count + place, as: UInt64.self)
  }
}

/// What each number of a vocabulary is written as, with ", " behind it.
struct Forms {
  /// One behind the other, and a word of zeros, so that a whole word can be read at each.
  let bytes: [UInt8]
  /// Where each begins, and the end.
  let bounds: [Int]

  static let separator = ", ".utf8

  /// The digits of 0...9999, lowest byte first, and how many there are in the highest byte.
  static let small = (0..<10_000).map { number in
    let digits = "\(number)".utf8
    return digits.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) } | UInt64(digits.count) << 56
  }

  init<Element>(_ elements: some Collection<Element>, _ append: (Element, inout [UInt8]) -> Void) {
    var (bytes, bounds): ([UInt8], [Int]) = ([], [0])
    for element in elements {
      append(element, &bytes)
      bytes.append(contentsOf: Self.separator)
      bounds.append(bytes.count)
    }
    (self.bytes, self.bounds) = (bytes + [UInt8](repeating: 0, count: 8), bounds)
  }

  func byteCount(_ numbers: ArraySlice<Int32>) -> Int {
    numbers.reduce(0) { $0 + bounds[Int($1) + 1] - bounds[Int($1)] }
  }
}

/// Counts a text's offsets in a unit from one byte to the next, in either direction.
struct OffsetWalk {
  private let bytes: UnsafeBufferPointer<UInt8>
  private let unit: OffsetUnit
  private var byte = 0
  private var count = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>, _ unit: OffsetUnit) {
    (self.bytes, self.unit) = (bytes, unit)
  }

  /// The offset of a byte at which a scalar begins, or of the end.
  @inline(__always)
  mutating func callAsFunction(_ target: Int) -> Int {
    if unit == .utf8 || target == 0 { return target }
    while byte < target {
      count += weight(bytes[byte])
      byte += 1
    }
    while byte > target {
      byte -= 1
      count -= weight(bytes[byte])
    }
    return count
  }

  /// The units of the scalar that begins with a byte; 0 for the bytes after the first.
  @inline(__always)
  private func weight(_ byte: UInt8) -> Int {
    byte & 0xC0 == 0x80 ? 0 : unit == .utf16 && byte >= 0xF0 ? 2 : 1
  }
}
