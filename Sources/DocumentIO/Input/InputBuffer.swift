/// Bytes that were read and not yet taken.
///
/// A record is looked at where it lies; taking it moves only `start`, so that its bytes stay until
/// more are put in.
struct InputBuffer {
  /// The storage; what counts is `start..<end` of it.
  private(set) var bytes: [UInt8] = []
  /// Where the bytes begin that were not taken.
  private(set) var start = 0
  /// Where they end.
  private(set) var end = 0
  /// The place of the first of them in the whole stream.
  private(set) var offset = 0
  /// Whether no more will come.
  var isAtEnd = false

  /// How many bytes there are.
  var count: Int { end - start }
  /// Them, as they lie in the storage.
  var range: Range<Int> { start..<end }

  /// Takes bytes from the front.
  mutating func take(_ count: Int) {
    precondition(count <= self.count, "bytes are taken that are not there")
    start += count
    offset += count
  }

  /// Lets all go, since reading goes on at another place of the stream.
  mutating func restart(at offset: Int) {
    (start, end, self.offset, isAtEnd) = (0, 0, offset, false)
  }

  /// Puts bytes at the end.
  mutating func append(_ more: some Collection<UInt8>) {
    guard !more.isEmpty else { return }
    fill(atMost: more.count) { room in
      room.copyBytes(from: more)
      return more.count
    }
  }

  /// Makes room for `count` bytes at the end and puts as many there as `body` says.
  mutating func fill<Failure>(
    atMost count: Int, _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
  ) throws(Failure) {
    makeRoom(count)
    let place = end
    var (filled, failure) = (0, Failure?.none)
    bytes.withUnsafeMutableBytes { all in
      let room = UnsafeMutableRawBufferPointer(rebasing: all[place..<place + count])
      do throws(Failure) { filled = try body(room) } catch { failure = error }
    }
    if let failure { throw failure }
    precondition(filled <= count, "more bytes came than there was room for")
    end += filled
  }

  /// Moves what is left to the front where that costs less than it frees, else grows.
  private mutating func makeRoom(_ count: Int) {
    if bytes.count - end >= count { return }
    if start >= self.count {
      let left = range
      bytes.withUnsafeMutableBytes { all in
        all.copyMemory(from: UnsafeRawBufferPointer(rebasing: all[left]))
      }
      (start, end) = (0, left.count)
    }
    let missing = end + count - bytes.count
    if missing > 0 { bytes.append(contentsOf: repeatElement(0, count: max(missing, bytes.count))) }
  }
}
