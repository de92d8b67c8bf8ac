internal import Foundation
internal import Synchronization

/// A POSIX shared memory object of this process, for tensors that a server on the same machine
/// reads and writes in place.
///
/// The region owns the object: it is unlinked when the region goes. Parts are leased, so that two
/// requests never share bytes. Register it with `withRegistration`, which unregisters whatever
/// happens.
public final class SystemRegion: Sendable {
  /// The POSIX name, with its leading slash; also the name it is registered under, without it.
  public let key: String
  /// Its length in bytes.
  public let byteCount: Int
  // Mapped in init and unmapped in deinit; leases keep writers apart.
  private nonisolated(unsafe) let base: UnsafeMutableRawPointer
  /// Holds a lock on the object as long as its owner lives; see `RegionOrphans`.
  private let descriptor: Int32
  private let free: Mutex<[Range<Int>]>

  /// A new object of `byteCount` bytes, all zero.
  ///
  /// - Throws: `TritonError` of class `sharedMemory` with the system's reason.
  public init(byteCount: Int, name: String = "spo") throws {
    precondition(byteCount > 0, "a region has at least one byte")
    let key = "/\(name)-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    self.key = key
    self.byteCount = byteCount
    // Told before it is there: until the lock below is taken, it looks like one without an owner.
    Self.living.withLock { _ = $0.insert(key) }
    let descriptor = shm_open(key, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      let code = errno
      Self.living.withLock { _ = $0.remove(key) }
      throw Self.failure("open", key, code)
    }
    flock(descriptor, LOCK_EX | LOCK_NB)
    self.descriptor = descriptor
    // Allocated now: a full /dev/shm is an error here, and not a SIGBUS at the first write.
    let status = posix_fallocate(descriptor, 0, byteCount)
    guard status == 0 else {
      Self.discard(key, descriptor)
      throw Self.failure("allocate \(byteCount) bytes of", key, status)
    }
    let address = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
    guard let address, address != MAP_FAILED else {
      let code = errno
      Self.discard(key, descriptor)
      throw Self.failure("map", key, code)
    }
    base = address
    free = Mutex([0..<byteCount])
  }

  deinit {
    munmap(base, byteCount)
    Self.discard(key, descriptor)
  }

  private static func discard(_ key: String, _ descriptor: Int32) {
    shm_unlink(key)
    close(descriptor)
    living.withLock { _ = $0.remove(key) }
  }

  /// The objects of this process that are not unlinked yet.
  private static let living = Mutex<Set<String>>([])

  /// Whether a region of this process has the object, or is about to make it.
  package static func isLiving(_ key: String) -> Bool { living.withLock { $0.contains(key) } }

  /// Unlinks the objects of all regions of this process, for a program that ends without letting go
  /// of them. They stay mapped here and at a server until both let go.
  public static func unlinkAll() {
    for key in living.withLock({ $0 }) { shm_unlink(key) }
  }

  /// The name it is registered under.
  public var name: String { String(key.dropFirst()) }

  /// Registers the region for as long as `body` runs, in its caller's isolation.
  ///
  /// The calls that register and unregister are not cancelled with the caller's task: the server
  /// must not be left with a region that nobody unregisters.
  public func withRegistration<Result>(
    at client: TritonClient, isolation: isolated (any Actor)? = #isolation,
    _ body: () async throws -> Result
  ) async throws -> Result {
    let register = Task {
      try await client.registerSystemSharedMemory(name, key: key, byteCount: byteCount)
    }
    let outcome: Swift.Result<Result, any Error>
    do {
      try await register.value
      outcome = .success(try await body())
    } catch {
      outcome = .failure(error)
    }
    // Also after a failed registration, which a lost answer does not undo.
    let cleanup = await Task { try await client.unregisterWhenFree(name) }.result
    let result = try outcome.get()
    try cleanup.get()
    return result
  }

  /// A part that nobody else has, until the lease goes; nil when no gap is long enough.
  public func lease(_ count: Int) -> Lease? {
    guard (0...byteCount).contains(count) else { return nil }
    let rounded = (max(count, 1) + 63) / 64 * 64
    return free.withLock { free -> Lease? in
      guard
        let index = free.firstIndex(where: {
          $0.count >= rounded || $0.count == byteCount
        })
      else { return nil }
      let gap = free[index]
      let taken = gap.lowerBound..<min(gap.lowerBound + rounded, gap.upperBound)
      free[index] = taken.upperBound..<gap.upperBound
      if free[index].isEmpty { free.remove(at: index) }
      return Lease(region: self, range: taken, count: count)
    }
  }

  /// All its bytes where they lie.
  package var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: base, count: byteCount)
  }

  /// Bytes that no lease holds.
  public var freeBytes: Int { free.withLock { $0.reduce(0) { $0 + $1.count } } }

  fileprivate func giveBack(_ range: Range<Int>) {
    free.withLock { free in
      free.append(range)
      free.sort { $0.lowerBound < $1.lowerBound }
      var joined: [Range<Int>] = []
      for gap in free {
        if let last = joined.last, last.upperBound == gap.lowerBound {
          joined[joined.count - 1] = last.lowerBound..<gap.upperBound
        } else {
          joined.append(gap)
        }
      }
      free = joined
    }
  }

  private static func failure(_ step: String, _ key: String, _ code: Int32 = errno) -> TritonError {
    TritonError(
      code: .sharedMemory,
      message: "cannot \(step) the shared memory \(key): \(String(cString: strerror(code)))",
      remedy: "see the size and the rights of /dev/shm")
  }

  /// A part of a region, given back with the last reference.
  public final class Lease: Sendable {
    /// The part as a request names it.
    public let slice: SharedMemorySlice
    private let region: SystemRegion
    private let range: Range<Int>

    init(region: SystemRegion, range: Range<Int>, count: Int) {
      (self.region, self.range) = (region, range)
      slice = SharedMemorySlice(region: region.name, offset: range.lowerBound, byteCount: count)
    }

    deinit { region.giveBack(range) }

    /// Calls `body` with the bytes. Not while the server may be writing them.
    public func withBytes<Result>(
      _ body: (UnsafeMutableRawBufferPointer) throws -> Result
    ) rethrows -> Result {
      let start = region.base + range.lowerBound
      return try body(UnsafeMutableRawBufferPointer(start: start, count: slice.byteCount))
    }
  }
}
