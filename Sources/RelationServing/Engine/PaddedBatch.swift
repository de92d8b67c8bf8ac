internal import GRPCChannel
internal import Inference
internal import Triton

/// Rows of a batch padded to one length, as a contract wants them.
struct PaddedBatch {
  let rows: Int
  /// L: what the model fixes, else the longest row or what the batch asks for.
  let length: Int
  private let sentences: [ArraySlice<Int32>]

  init(_ batch: InferenceBatch, rows: some Collection<Int>, length: Int?) {
    sentences = rows.map { batch.ids[batch.range(of: $0)] }
    self.rows = sentences.count
    let longest = sentences.map(\.count).max() ?? 0
    self.length = length ?? max(longest, batch.paddedLength ?? 0)
  }

  /// The shortest sentence that has a token of its own.
  static func probe(_ contract: ModelContract) -> PaddedBatch {
    let length = min(probeLength, contract.tokens ?? .max)
    return PaddedBatch(
      InferenceBatch([Array(repeating: 0, count: length)]), rows: [0], length: contract.tokens)
  }

  static let probeLength = 3

  /// The request, each tensor in the type that the server wants.
  ///
  /// - Parameter outputs: where each output goes; the answer itself by default.
  func request(_ contract: ModelContract, _ outputs: [RequestedOutput]? = nil) -> InferRequest {
    var inputs: [InferInput] = []
    if let sampleID = contract.sampleID {
      let shape = sampleID.dimensions.isEmpty ? [rows] : [rows, 1]
      inputs.append(tensor(sampleID, shape, width: 1) { row, _ in Int32(row) })
    }
    let shape = [rows, length]
    inputs.append(
      tensor(contract.tokenIDs, shape, width: length) { row, column in
        let sentence = sentences[row]
        return column < sentence.count ? sentence[sentence.startIndex + column] : 0  // [PAD]
      })
    if let types = contract.tokenTypes {
      inputs.append(tensor(types, shape, width: length) { _, _ in 0 })
    }
    inputs.append(
      tensor(contract.mask, shape, width: length) { row, column in
        column < sentences[row].count ? 1 : 0
      })
    var request = InferRequest(
      contract.model, inputs: inputs,
      outputs: outputs ?? contract.outputs.map { RequestedOutput($0.name) })
    request.modelVersion = contract.version
    return request
  }

  private func tensor(
    _ tensor: ModelContract.Tensor, _ shape: [Int], width: Int, _ value: (Int, Int) -> Int32
  ) -> InferInput {
    func filled<Element: TensorElement>(_ convert: (Int32) -> Element) -> SharedBytes {
      SharedBytes(count: rows * width * MemoryLayout<Element>.size) { bytes in
        let elements = bytes.bindMemory(to: Element.self)
        for row in 0..<rows {
          for column in 0..<width { elements[row * width + column] = convert(value(row, column)) }
        }
      }
    }
    let bytes =
      switch tensor.datatype {
      case .int32: filled { $0 }
      case .int64: filled { Int64($0) }
      case .fp32: filled { Float($0) }
      case .fp16: filled { Float16($0) }
      case .bf16: filled { BFloat16(Float($0)) }
      default: preconditionFailure("a contract's inputs are INT32, INT64, FP32, FP16 or BF16")
      }
    return InferInput(tensor.name, tensor.datatype, shape: shape, bytes: bytes)
  }
}
