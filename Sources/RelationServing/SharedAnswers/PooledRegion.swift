internal import GRPCChannel
internal import Synchronization
internal import Triton

/// A region of a pool, given back with the last reference.
final class PooledRegion: Sendable {
  private let region: SystemRegion
  private let pool: RegionPool
  private let isAbandoned = Mutex(false)

  init(region: SystemRegion, pool: RegionPool) { (self.region, self.pool) = (region, pool) }

  deinit {
    if isAbandoned.withLock({ $0 }) { pool.abandon(region) } else { pool.giveBack(region) }
  }

  /// Never to be used again: the server may still write into it for a request that failed here.
  func abandon() { isAbandoned.withLock { $0 = true } }

  /// The name that the server knows it by.
  var name: String { region.name }

  func outputs(_ contract: ModelContract, _ sizes: [Int]) -> [RequestedOutput] {
    region.outputs(contract, sizes)
  }

  func views(_ contract: ModelContract, _ sizes: [Int]) -> [String: TensorBytes] {
    region.views(contract, sizes, keeping: self)
  }
}

extension SystemRegion {
  /// Where each output of a request goes: one behind the other.
  func outputs(_ contract: ModelContract, _ sizes: [Int]) -> [RequestedOutput] {
    var offset = 0
    return zip(contract.outputs, sizes).map { tensor, size in
      defer { offset += size }
      return RequestedOutput(
        tensor.name, region: SharedMemorySlice(region: name, offset: offset, byteCount: size))
    }
  }

  /// The bytes of each output where they lie. Not while the server may be writing them.
  func views(
    _ contract: ModelContract, _ sizes: [Int], keeping owner: some Sendable
  ) -> [String: TensorBytes] {
    let all = ReceivedMessage(lending: bytes, keeping: owner)
    var offset = 0
    let pairs = zip(contract.outputs, sizes).map { tensor, size in
      defer { offset += size }
      return (tensor.name, TensorBytes(all, offset..<offset + size))
    }
    return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
  }
}
