import Foundation
import GRPCChannel
import Testing

@testable import Triton

/// What is refused before it is sent.
@Suite struct RequestTests {
  private func fault(_ change: (inout InferRequest) -> Void) -> TritonError? {
    var request = InferRequest("m", inputs: [InferInput("x", shape: [2], [1, 2] as [Float])])
    change(&request)
    do { try request.validate() } catch { return error as? TritonError }
    return nil
  }

  @Test func `A request that fits is valid`() {
    #expect(fault { _ in } == nil)
    #expect(fault { $0.inputs = [] } == nil)
    #expect(fault { $0.inputs = [InferInput("s", shape: [0], [] as [Float])] } == nil)
    #expect(fault { $0.inputs = [InferInput("s", shape: [], [7] as [Int64])] } == nil)
    #expect(fault { $0.parameters = ["free": .double(1)] } == nil)
  }

  @Test func `Bytes that do not fit the shape are refused with both numbers`() {
    let error = fault { $0.inputs = [InferInput("x", shape: [3], [1, 2] as [Float])] }
    #expect(error?.code == .invalidRequest)
    #expect(error?.message.contains("8 bytes, expected 12") == true)
  }

  @Test func `Shapes that cannot be are refused`() {
    for shape in [[-1], [2, -3], [.max, 2], [1 << 32, 1 << 32]] {
      let region = SharedMemorySlice(region: "r", byteCount: 8)
      #expect(fault { $0.inputs = [InferInput("x", .fp32, shape: shape, region: region)] } != nil)
      let bytes = SharedBytes([0] as [Float])
      #expect(fault { $0.inputs = [InferInput("x", .fp32, shape: shape, bytes: bytes)] } != nil)
    }
  }

  @Test func `A shape whose bytes overflow is refused`() {
    let bytes = SharedBytes([0] as [Float])
    #expect(
      fault { $0.inputs = [InferInput("x", .fp64, shape: [1 << 61], bytes: bytes)] } != nil)
  }

  @Test func `Names that are missing, doubled or Triton's own are refused`() {
    #expect(fault { $0.modelName = "" } != nil)
    #expect(fault { $0.inputs.append($0.inputs[0]) } != nil)
    for key in ["sequence_id", "priority", "timeout", "headers", "triton_anything"] {
      #expect(fault { $0.parameters = [key: .bool(true)] } != nil, "\(key)")
    }
    #expect(fault { $0.sequence = .init(id: .number(0)) } != nil)
    #expect(fault { $0.sequence = .init(id: .text("")) } != nil)
  }

  @Test func `Inputs above gRPC's limit are refused unread`() throws {
    let count = Int(Int32.max) / 2 + 1
    // Pages that nobody may touch: reading them would end the test.
    let pages = mmap(
      nil, count, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | Int32(MAP_NORESERVE), -1, 0)
    let memory = UnsafeMutableRawBufferPointer(start: pages, count: count)
    let lent = SharedBytes(lending: memory) { munmap($0, count) }
    let inputs = ["a", "b"].map { InferInput($0, .uint8, shape: [count], bytes: lent) }
    let error = fault { $0.inputs = inputs }
    #expect(error?.code == .size)
    #expect(fault { $0.inputs = [inputs[0]] } == nil)
  }

  @Test func `A queue timeout is whole microseconds, at least one`() {
    #expect(Duration.nanoseconds(1).microseconds == 1)
    #expect(Duration.milliseconds(3).microseconds == 3_000)
    #expect(Duration.seconds(2).microseconds == 2_000_000)
  }
}
