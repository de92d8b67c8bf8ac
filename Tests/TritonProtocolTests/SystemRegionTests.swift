import Foundation
import TestSupport
import Testing

@testable import Triton

@Suite struct SystemRegionTests {
  private func exists(_ key: String) -> Bool {
    FileManager.default.fileExists(atPath: "/dev/shm" + key)
  }

  @Test func `A region is a shared memory object as long as it lives`() throws {
    let key: String
    do {
      let region = try SystemRegion(byteCount: 5_000)
      key = region.key
      #expect(key == "/" + region.name)
      #expect(exists(key))
      let attributes = try FileManager.default.attributesOfItem(atPath: "/dev/shm" + key)
      #expect(attributes[.size] as? Int == 5_000)
      #expect(attributes[.posixPermissions] as? Int == 0o600)
    }
    #expect(!exists(key))
  }

  @Test func `A lease keeps its region alive`() throws {
    var lease = try SystemRegion(byteCount: 100).lease(100)
    let key = "/" + (try #require(lease?.slice.region))
    #expect(exists(key))
    lease?.withBytes { #expect($0.count == 100 && $0.allSatisfy { $0 == 0 }) }
    lease = nil
    #expect(!exists(key))
  }

  @Test func `What a lease writes stands in the object at its offset`() throws {
    let region = try SystemRegion(byteCount: 1_000)
    let (first, second) = (try #require(region.lease(10)), try #require(region.lease(20)))
    first.withBytes { $0.copyBytes(from: [UInt8](repeating: 1, count: 10)) }
    second.withBytes { $0.copyBytes(from: [UInt8](repeating: 2, count: 20)) }
    let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: "/dev/shm" + region.key)))
    let offset = second.slice.offset
    #expect(offset % 64 == 0)
    #expect(bytes[..<10].allSatisfy { $0 == 1 })
    #expect(bytes[offset..<offset + 20].allSatisfy { $0 == 2 })
    #expect(bytes.count { $0 != 0 } == 30)
  }

  @Test func `Random leases never overlap, and all bytes come back`() throws {
    var random = SeededRandom(12)
    let region = try SystemRegion(byteCount: 10_000)
    var leases: [SystemRegion.Lease] = []
    var refused = 0
    for _ in 0..<5_000 {
      if random.below(5) < 3 {
        if let lease = region.lease(random.below(1_500)) {
          leases.append(lease)
        } else {
          refused += 1
        }
      } else if !leases.isEmpty {
        leases.remove(at: random.below(leases.count))
      }
      let places = leases.map { $0.slice }.sorted { $0.offset < $1.offset }
      for (one, next) in zip(places, places.dropFirst()) {
        #expect(one.offset + max(one.byteCount, 1) <= next.offset)
      }
      if let last = places.last { #expect(last.offset + last.byteCount <= 10_000) }
    }
    #expect(refused > 100)
    leases = []
    #expect(region.freeBytes == 10_000)
    #expect(region.lease(10_000) != nil)
  }

  @Test func `Lengths that no region can lease give nil and no crash`() throws {
    let region = try SystemRegion(byteCount: 100)
    for count in [101, .max, .max - 10, -1, .min] { #expect(region.lease(count) == nil) }
    #expect(region.freeBytes == 100)
    #expect(region.lease(0) != nil)
    #expect(region.lease(100) != nil)
  }

  @Test func `Leases from many tasks at once stay apart`() async throws {
    let region = try SystemRegion(byteCount: 64 * 64)
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<16 {
        group.addTask {
          for _ in 0..<200 {
            guard let lease = region.lease(64) else { continue }
            lease.withBytes { bytes in
              for index in bytes.indices { bytes[index] = UInt8(task) }
              #expect(bytes.allSatisfy { $0 == UInt8(task) })
            }
          }
        }
      }
    }
    #expect(region.freeBytes == 64 * 64)
  }

  @Test func `More than /dev/shm holds is an error with the system's reason`() throws {
    var free = statvfs()
    #expect(statvfs("/dev/shm", &free) == 0)
    let tooMuch = Int(free.f_blocks) * Int(free.f_frsize) + (1 << 20)
    let error = #expect(throws: TritonError.self) { try SystemRegion(byteCount: tooMuch) }
    #expect(error?.code == .sharedMemory)
    #expect(error?.message.contains("No space left") == true, "\(error?.message ?? "")")
  }
}
