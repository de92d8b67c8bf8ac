internal import Foundation

/// Uninitialised, 64-byte aligned floats that grow and are reused: scratch of an engine.
///
/// Not Sendable: one worker owns it at a time.
package final class FloatBuffer {
  /// Floats that fit.
  package private(set) var capacity = 0
  private var base: UnsafeMutableRawPointer?
  #if DEBUG
    /// The block given out before, kept for readers of pointers that should be dead.
    private var retired: UnsafeMutableRawPointer?
  #endif

  /// A buffer of no floats yet.
  package init() {}

  deinit {
    free(base)
    #if DEBUG
      free(retired)
    #endif
  }

  /// The first `count` floats, their contents unspecified. Earlier pointers die.
  ///
  /// In debug builds they die visibly: every call gives another block, and the block before, like
  /// the new one, holds NaNs.
  package func reserve(_ count: Int) throws(AllocationError) -> UnsafeMutablePointer<Float> {
    #if DEBUG
      free(retired)
      retired = base
      poison(retired)
      base = nil
      base = try AlignedMemory.allocate(max(count, capacity) * 4)
      capacity = max(count, capacity)
      poison(base)
    #else
      if count > capacity || base == nil {
        free(base)
        (base, capacity) = (nil, 0)
        base = try AlignedMemory.allocate((count + count / 4) * 4)
        capacity = count + count / 4
      }
    #endif
    return base!.bindMemory(to: Float.self, capacity: max(capacity, 1))  // allocated just now
  }

  #if DEBUG
    private func poison(_ block: UnsafeMutableRawPointer?) {
      block?.bindMemory(to: Float.self, capacity: capacity)
        .update(repeating: .nan, count: capacity)
    }
  #endif
}
