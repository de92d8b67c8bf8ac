internal import CGRPC

/// A received message where gRPC left it: a list of slices of up to 64 KiB, never joined.
///
/// Reading copies at most what is asked for; views keep the message alive.
public final class ReceivedMessage: Sendable {
  /// The number of bytes.
  public let count: Int
  // Both are set in init and never written; the memory is the byte buffer's, which we own.
  private nonisolated(unsafe) let buffer: UnsafeMutablePointer<grpc_byte_buffer>?
  private nonisolated(unsafe) let segments: [UnsafeRawBufferPointer]
  private let starts: [Int]
  /// What lends the bytes, where gRPC did not bring them.
  private let owner: (any Sendable)?

  /// Takes over a buffer that a call received.
  init(owned buffer: UnsafeMutablePointer<grpc_byte_buffer>) {
    (self.buffer, owner) = (buffer, nil)
    var sliceCount = 0
    let slices = CGRPCSlices(buffer, &sliceCount)
    var segments: [UnsafeRawBufferPointer] = []
    segments.reserveCapacity(sliceCount)
    for index in 0..<sliceCount {
      // By address: a short slice's bytes lie inside the struct.
      let bytes = UnsafeRawBufferPointer(sliceBytes(slices! + index))
      if !bytes.isEmpty { segments.append(bytes) }
    }
    (self.segments, starts, count) = Self.index(segments)
  }

  /// A message of copied pieces, as a server might cut it: for tests and fuzzing.
  public init(pieces: [[UInt8]]) {
    (buffer, owner) = (nil, nil)
    let copies = pieces.filter { !$0.isEmpty }.map { piece in
      let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: piece.count, alignment: 1)
      copy.copyBytes(from: piece)
      return UnsafeRawBufferPointer(copy)
    }
    (segments, starts, count) = Self.index(copies)
  }

  /// Bytes that lie elsewhere, such as in shared memory, valid as long as `owner` lives.
  package init(lending bytes: UnsafeRawBufferPointer, keeping owner: some Sendable) {
    (buffer, self.owner) = (nil, owner)
    (segments, starts, count) = Self.index(bytes.isEmpty ? [] : [bytes])
  }

  deinit {
    if let buffer {
      grpc_byte_buffer_destroy(buffer)
    } else if owner == nil {
      for segment in segments { segment.deallocate() }
    }
  }

  private static func index(
    _ segments: [UnsafeRawBufferPointer]
  ) -> ([UnsafeRawBufferPointer], [Int], Int) {
    var starts: [Int] = []
    starts.reserveCapacity(segments.count)
    var count = 0
    for segment in segments {
      starts.append(count)
      count += segment.count
    }
    return (segments, starts, count)
  }

  /// Copies the bytes of `range` to `target`, which must be as long. Traps outside the message.
  public func copy(_ range: Range<Int>, to target: UnsafeMutableRawBufferPointer) {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "outside the message")
    precondition(target.count >= range.count, "the target is too short")
    var written = 0
    forEachPiece(of: range) { piece in
      (target.baseAddress! + written).copyMemory(from: piece.baseAddress!, byteCount: piece.count)
      written += piece.count
    }
  }

  /// Calls `body` with the bytes of `range`, piece by piece, in order.
  public func forEachPiece(
    of range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) rethrows {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "outside the message")
    var at = range.lowerBound
    var segment = at < count ? segmentIndex(of: at) : 0
    while at < range.upperBound {
      let bytes = segments[segment]
      let first = at - starts[segment]
      let length = min(bytes.count - first, range.upperBound - at)
      try body(UnsafeRawBufferPointer(rebasing: bytes[first..<first + length]))
      at += length
      segment += 1
    }
  }

  /// The bytes from `offset` to the end of its slice, where they lie: borrowed from the message.
  package func piece(at offset: Int) -> UnsafeRawBufferPointer {
    precondition(offset >= 0 && offset < count, "outside the message")
    let segment = segmentIndex(of: offset)
    return UnsafeRawBufferPointer(rebasing: segments[segment][(offset - starts[segment])...])
  }

  /// The element at a byte offset, which need not be aligned and may straddle two slices.
  public func load<Element: BitwiseCopyable>(at offset: Int, as type: Element.Type) -> Element {
    let size = MemoryLayout<Element>.size
    precondition(offset >= 0 && offset <= count - size, "outside the message")
    let segment = segmentIndex(of: offset)
    let first = offset - starts[segment]
    if first + size <= segments[segment].count {
      return segments[segment].loadUnaligned(fromByteOffset: first, as: type)
    }
    return withUnsafeTemporaryAllocation(byteCount: size, alignment: 16) { bytes in
      copy(offset..<offset + size, to: bytes)
      return bytes.load(as: type)
    }
  }

  /// The bytes of a range as one array.
  public func bytes(_ range: Range<Int>) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: range.count) { target, written in
      copy(range, to: UnsafeMutableRawBufferPointer(target))
      written = range.count
    }
  }

  /// All bytes as one array.
  public var bytes: [UInt8] { bytes(0..<count) }

  /// The segment that holds a byte: the last one that starts at or before it.
  private func segmentIndex(of offset: Int) -> Int {
    var low = 0
    var high = starts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= offset { low = middle } else { high = middle }
    }
    return low
  }
}
