import Foundation
import Testing
import Triton

/// Tensors in shared memory, which the server reads and writes in place.
@Suite(.timeLimit(.minutes(3))) struct SharedMemoryTests {
  private static let values: [Int32] = [7, -8, 9]

  /// Adds the values to themselves with inputs, and on demand the output, in a region.
  private static func sum(_ client: TritonClient, outputInRegion: Bool) async throws -> [Int32] {
    let region = try SystemRegion(byteCount: 4_096, name: "spo-test")
    let input = try #require(region.lease(12))
    let output = try #require(region.lease(12))
    input.withBytes { $0.copyBytes(from: values.withUnsafeBytes { Array($0) }) }
    return try await region.withRegistration(at: client) {
      let inputs = ["A", "B"].map { InferInput($0, .int32, shape: [1, 3], region: input.slice) }
      let wanted = RequestedOutput("SUM", region: outputInRegion ? output.slice : nil)
      let result = try await client.infer(InferRequest("sum", inputs: inputs, outputs: [wanted]))
      let tensor = try result.output("SUM")
      guard outputInRegion else { return try tensor.array(of: Int32.self) }
      #expect(tensor.bytes.count == 0)
      return output.withBytes { Array($0.bindMemory(to: Int32.self)) }
    }
  }

  @Test func `Bug: outputs in a region were taken for missing; inputs come from one too`()
    async throws
  {
    let client = try await Servers.main()
    let sent = try await Self.sum(client, outputInRegion: false)
    #expect(sent == [14, -16, 18])
    let written = try await Self.sum(client, outputInRegion: true)
    #expect(written == [14, -16, 18])
  }

  @Test func `A region is known while it is registered, and gone afterwards`() async throws {
    let client = try await Servers.main()
    let region = try SystemRegion(byteCount: 256, name: "spo-test")
    try await region.withRegistration(at: client) {
      let known = try await client.systemSharedMemory(region.name)
      #expect(known.map(\.name) == [region.name] && known.map(\.key) == [region.key])
      #expect(known.map(\.offset) == [0] && known.map(\.byteCount) == [256])
    }
    let left = try await client.systemSharedMemory()
    #expect(!left.contains { $0.name == region.name })
  }

  @Test func `Bug: a cancelled task left its region registered`() async throws {
    let client = try await Servers.main()
    for _ in 0..<20 {
      let region = try SystemRegion(byteCount: 256, name: "spo-test")
      let task = Task {
        try await region.withRegistration(at: client) { try Task.checkCancellation() }
      }
      await Task.yield()
      task.cancel()
      _ = await task.result
      let left = try await client.systemSharedMemory()
      #expect(!left.contains { $0.name == region.name })
    }
  }

  @Test func `Bug: unregistering failed while the answered request still held the region`()
    async throws
  {
    let client = try await Servers.main()
    for _ in 0..<200 { _ = try await Self.sum(client, outputInRegion: false) }
  }

  @Test func `A region goes from the system with its last reference`() throws {
    var region: SystemRegion? = try SystemRegion(byteCount: 64, name: "spo-test")
    let file = "/dev/shm/" + region!.name
    #expect(FileManager.default.fileExists(atPath: file))
    region = nil
    #expect(!FileManager.default.fileExists(atPath: file))
  }

  @Test func `An output larger than its region is refused by the server`() async throws {
    let client = try await Servers.main()
    let region = try SystemRegion(byteCount: 64, name: "spo-test")
    let lease = try #require(region.lease(8))
    try await region.withRegistration(at: client) {
      let inputs = ["A", "B"].map { InferInput($0, shape: [1, 3], Self.values) }
      await expectFailure(.sharedMemory, saying: "lease as many bytes") {
        _ = try await client.infer(
          InferRequest(
            "sum", inputs: inputs, outputs: [RequestedOutput("SUM", region: lease.slice)]))
      }
    }
  }

  @Test func `A server that restricts shared memory names the header it wants`() async throws {
    let client = try await Servers.get(.restricted).client()
    let region = try SystemRegion(byteCount: 64, name: "spo-test")
    await expectFailure(.authorization, saying: "triton-grpc-protocol-") {
      try await region.withRegistration(at: client) {}
    }
  }

  @Test func `An object that is not there cannot be registered`() async throws {
    let client = try await Servers.main()
    await expectFailure(.sharedMemory, saying: "/dev/shm") {
      try await client.registerSystemSharedMemory("ghost", key: "/spo-no-such", byteCount: 64)
    }
  }

  @Test("Bug: a region that the server does not know, or knows already, is of class shared_memory")
  func regionsUnknownAndTwice() async throws {
    let client = try await Servers.main()
    await expectFailure(.sharedMemory, saying: "register the region") {
      _ = try await client.systemSharedMemory("nobody's")
    }
    let slice = SharedMemorySlice(region: "nobody's", byteCount: 12)
    let inputs = ["A", "B"].map { InferInput($0, .int32, shape: [1, 3], region: slice) }
    await expectFailure(.sharedMemory, saying: "register the region") {
      _ = try await client.infer(InferRequest("sum", inputs: inputs))
    }
    let region = try SystemRegion(byteCount: 64, name: "spo-test")
    try await region.withRegistration(at: client) {
      _ = await expectFailure(.sharedMemory, saying: "unregister the region first") {
        try await client.registerSystemSharedMemory(region.name, key: region.key, byteCount: 64)
      }
    }
  }

  @Test func `A server without GPUs has no CUDA regions and takes none`() async throws {
    let client = try await Servers.main()
    let regions = try await client.cudaSharedMemory()
    #expect(regions.isEmpty)
    await #expect(throws: TritonError.self) {
      let handle = [UInt8](repeating: 1, count: 64)
      try await client.registerCUDASharedMemory("cuda", handle: handle, device: 0, byteCount: 64)
    }
    try await client.unregisterCUDASharedMemory()
  }
}
