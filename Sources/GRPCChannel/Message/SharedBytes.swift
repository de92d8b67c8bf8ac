/// Bytes on the heap at one address, shared and never written again: what a message sends from
/// without a copy.
///
/// A Swift array's memory may not be lent beyond a closure, and gRPC keeps pointers until the last
/// byte is on its way; so tensors to send live here.
public final class SharedBytes: Sendable {
  /// The number of bytes.
  public let count: Int
  // Written only before init returns.
  private nonisolated(unsafe) let base: UnsafeMutableRawPointer
  private let release: @Sendable (UnsafeMutableRawPointer) -> Void

  /// `count` bytes that `fill` writes; 16-byte aligned.
  public init(count: Int, fill: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
    self.count = count
    base = .allocate(byteCount: max(count, 1), alignment: 16)
    release = { $0.deallocate() }
    try fill(UnsafeMutableRawBufferPointer(start: base, count: count))
  }

  /// A copy of the elements as they lie in memory: little-endian on every supported machine.
  public convenience init<Element: BitwiseCopyable>(_ elements: [Element]) {
    self.init(count: elements.count * MemoryLayout<Element>.stride) { bytes in
      elements.withUnsafeBytes { bytes.copyMemory(from: $0) }
    }
  }

  /// Memory of the caller's, lent until `release` is called; nobody may write it until then.
  public init(
    lending memory: UnsafeMutableRawBufferPointer,
    release: @escaping @Sendable (UnsafeMutableRawPointer) -> Void
  ) {
    precondition(memory.baseAddress != nil, "there is no memory to lend")
    (base, count, self.release) = (memory.baseAddress!, memory.count, release)
  }

  deinit { release(base) }

  /// Calls `body` with the bytes.
  public func withBytes<Result>(
    _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    try body(UnsafeRawBufferPointer(start: base, count: count))
  }

  var address: UnsafeMutableRawPointer { base }
}
