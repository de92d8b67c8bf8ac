/// Uninitialised, 64-byte aligned floats that grow and are reused: scratch of an engine.
///
/// Not Sendable: one worker owns it at a time.
public final class FloatBuffer {
  /// Floats that fit.
  public private(set) var capacity: Int
  private var base: UnsafeMutableRawPointer

  /// A buffer of at least `capacity` floats.
  public init(capacity: Int = 0) {
    self.capacity = capacity
    base = .allocate(byteCount: max(capacity, 1) * 4, alignment: 64)
  }

  deinit { base.deallocate() }

  /// The first `count` floats, their contents unspecified; earlier pointers die when it grows.
  public func reserve(_ count: Int) -> UnsafeMutablePointer<Float> {
    if count > capacity {
      base.deallocate()
      capacity = count + count / 4
      base = .allocate(byteCount: capacity * 4, alignment: 64)
    }
    return base.bindMemory(to: Float.self, capacity: max(capacity, 1))
  }
}
