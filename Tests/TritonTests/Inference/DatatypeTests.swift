import Testing
import Triton

/// Every element type there and back through a model that echoes.
@Suite(.timeLimit(.minutes(3))) struct DatatypeTests {
  private func echo(_ inputs: [InferInput]) async throws -> InferResult {
    let outputs = inputs.map { RequestedOutput($0.name.replacing("IN_", with: "OUT_")) }
    return try await Servers.main().infer(
      InferRequest("identity", inputs: inputs, outputs: outputs))
  }

  private func returns<Element: TensorElement & Equatable>(_ elements: [Element]) async throws {
    let name = Element.datatype.rawValue
    let input = InferInput("IN_\(name)", shape: [elements.count], elements)
    let output = try await echo([input]).output("OUT_\(name)")
    #expect(output.datatype == Element.datatype && output.shape == [elements.count])
    let got = try output.array(of: Element.self)
    #expect(got == elements)
  }

  @Test func `Integers of every width keep their extremes`() async throws {
    try await returns([UInt8.min, 1, .max])
    try await returns([UInt16.min, 1, .max])
    try await returns([UInt32.min, 1, .max])
    try await returns([UInt64.min, 1, .max])
    try await returns([Int8.min, -1, .max])
    try await returns([Int16.min, -1, .max])
    try await returns([Int32.min, -1, .max])
    try await returns([Int64.min, -1, .max])
  }

  @Test func `Floating point of every width keeps infinities and the smallest number`() async throws
  {
    try await returns([Float16.infinity, -0.5, .leastNonzeroMagnitude, .greatestFiniteMagnitude])
    try await returns([Float.infinity, -0.5, .leastNonzeroMagnitude, .greatestFiniteMagnitude])
    try await returns([Double.infinity, -0.5, .leastNonzeroMagnitude, .greatestFiniteMagnitude])
    try await returns([true, false, true])
  }

  @Test func `BF16 keeps its bits`() async throws {
    let values = [BFloat16(-1.5), BFloat16(3.4e38), BFloat16(0)]
    let input = InferInput("IN_BF16", shape: [3], values)
    let output = try await echo([input]).output("OUT_BF16")
    #expect(output.datatype == .bf16)
    let floats = try output.floats()
    #expect(floats == values.map(\.float))
  }

  @Test func `BYTES keep empty, long, binary and Chinese elements`() async throws {
    let elements: [[UInt8]] = [
      [], Array("《离开》是由张宇谱曲".utf8), [0, 255, 0], [UInt8](repeating: 7, count: 300_000),
    ]
    let input = InferInput("IN_BYTES", shape: [4], bytes: elements)
    let output = try await echo([input]).output("OUT_BYTES")
    let got = try output.byteElements()
    #expect(got == elements)
    let texts = try output.strings()
    #expect(texts[1] == "《离开》是由张宇谱曲")
  }

  @Test func `A tensor without elements comes back without elements`() async throws {
    let output = try await echo([InferInput("IN_FP32", shape: [0], [Float]())]).output("OUT_FP32")
    #expect(output.shape == [0] && output.bytes.count == 0)
  }

  @Test func `A large tensor that gRPC cuts into slices comes back whole`() async throws {
    let values = (0..<3_000_001).map { Float($0 % 977) }
    try await returns(values)
  }

  @Test func `Several types travel in one request, each by its name`() async throws {
    let result = try await echo([
      InferInput("IN_INT8", shape: [1], [Int8(-3)]),
      InferInput("IN_BYTES", shape: [1], strings: ["文"]),
      InferInput("IN_FP64", shape: [2], [0.25, 4.0]),
    ])
    #expect(Set(result.outputs.map(\.name)) == ["OUT_INT8", "OUT_BYTES", "OUT_FP64"])
    let doubles = try result.output("OUT_FP64").array(of: Double.self)
    #expect(doubles == [0.25, 4])
  }

  @Test func `Reading a tensor as another type names both`() async throws {
    let output = try await echo([InferInput("IN_INT8", shape: [1], [Int8(1)])]).output("OUT_INT8")
    await expectFailure(.contract, saying: "FP32") { _ = try output.array(of: Float.self) }
    await expectFailure(.contract, saying: "INT8") { _ = try output.floats() }
  }
}
