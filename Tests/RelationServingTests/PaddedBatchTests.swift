import GRPCChannel
import Inference
import Testing

@testable import RelationServing
@testable import Triton

@Suite struct PaddedBatchTests {
  private func contract(_ datatype: Datatype, mask: Datatype, sample: Bool) throws -> ModelContract
  {
    let names = sample ? TensorNames.numbered("_") : TensorNames.semantic()
    func tensor(_ name: String, _ type: Datatype, _ shape: [Int]) -> ModelMetadata.Tensor {
      ModelMetadata.Tensor(name: name, datatype: type.rawValue, shape: shape)
    }
    let metadata = ModelMetadata(
      name: "m", versions: [], platform: "",
      inputs: names.inputs.map { tensor($0, $0 == names.mask ? mask : datatype, [-1, -1]) },
      outputs: names.outputs.map { tensor($0, .fp32, [-1, -1, -1, -1]) })
    let served = try ServedModelConfiguration(ProtobufMessage(["max_batch_size": .signed(8)]))
    return try ModelContract(metadata, served)
  }

  private func numbers(_ input: InferInput) -> [Double] {
    guard case .raw(let bytes) = input.source else { return [] }
    func read<Element: TensorElement>(_ type: Element.Type) -> [Element] {
      bytes.withBytes { Array($0.bindMemory(to: type)) }
    }
    return switch input.datatype {
    case .int32: read(Int32.self).map(Double.init)
    case .int64: read(Int64.self).map(Double.init)
    case .fp16: read(Float16.self).map { Double($0) }
    case .bf16: read(BFloat16.self).map { Double($0.float) }
    default: read(Float.self).map { Double($0) }
    }
  }

  @Test(arguments: [Datatype.int32, .int64], [Datatype.int32, .int64, .fp32, .fp16, .bf16])
  func `Rows are padded with zeros to the longest, in the model's own types`(
    _ ids: Datatype, _ mask: Datatype
  ) throws {
    let contract = try contract(ids, mask: mask, sample: true)
    let all = InferenceBatch([[9, 9], [101, 5, 102], [101, 102], [101, 21_127, 7, 8, 102]])
    let padded = PaddedBatch(all, rows: 1..<4, length: nil)
    #expect(padded.rows == 3 && padded.length == 5)
    let request = padded.request(contract)
    try request.validate()
    let inputs = Dictionary(uniqueKeysWithValues: request.inputs.map { ($0.name, $0) })
    let sample = try #require(inputs["INPUT_0"])
    #expect(sample.shape == [3, 1])
    #expect(numbers(sample) == [0, 1, 2])
    let tokens = try #require(inputs["INPUT_1"])
    #expect(tokens.shape == [3, 5] && tokens.datatype == ids)
    #expect(numbers(tokens) == [101, 5, 102, 0, 0, 101, 102, 0, 0, 0, 101, 21_127, 7, 8, 102])
    let types = try #require(inputs["INPUT_2"])
    #expect(numbers(types) == [Double](repeating: 0, count: 15))
    let real = try #require(inputs["INPUT_3"])
    #expect(real.datatype == mask)
    #expect(numbers(real) == [1, 1, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1])
    // Only what is decoded is asked for.
    #expect(request.outputs.map(\.name) == ["OUTPUT_1", "OUTPUT_2", "OUTPUT_3"])
  }

  @Test func `A fixed length pads beyond the longest row`() throws {
    let padded = PaddedBatch(InferenceBatch([[1, 2]]), rows: 0..<1, length: 4)
    let request = padded.request(try contract(.int64, mask: .int64, sample: false))
    #expect(request.inputs.count == 3)
    #expect(request.inputs.allSatisfy { $0.shape == [1, 4] })
    #expect(numbers(request.inputs[0]) == [1, 2, 0, 0])
    #expect(numbers(request.inputs[2]) == [1, 1, 0, 0])
  }
}
