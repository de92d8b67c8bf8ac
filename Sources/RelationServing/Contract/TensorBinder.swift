internal import Triton

/// Finds one model's tensors and checks rank, type and sizes.
struct Binder {
  let metadata: ModelMetadata
  let batches: Bool

  func input(_ name: String, rank: Int, _ types: Set<Datatype>) throws -> ModelContract.Tensor {
    try bind(name, metadata.inputs, rank...rank, types)
  }

  /// [B, 1]; [B] is what a model without Triton's batching has.
  func sampleID(_ name: String) throws -> ModelContract.Tensor {
    let tensor = try bind(name, metadata.inputs, 0...1, ModelContract.integers)
    guard tensor.dimensions.allSatisfy({ [-1, 1].contains($0) }) else {
      throw ModelContract.fault(
        metadata, "\(name) has \(tensor.dimensions) ids a sentence", "expected one")
    }
    return tensor
  }

  func answer(_ names: TensorNames.Answer) throws -> ModelContract.Answer {
    func output(
      _ name: String, rank: Int = 3, _ types: Set<Datatype> = ModelContract.floats
    ) throws -> ModelContract.Tensor {
      try bind(name, metadata.outputs, rank...rank, types)
    }
    switch names {
    case .dense(let entity, let soHead, let soTail):
      return .dense(
        .init(entity: try output(entity), soHead: try output(soHead), soTail: try output(soTail)))
    case .compact(let triples, let scores, let spans, let spanScores, let notFinite):
      return .compact(
        .init(
          triples: try output(triples, rank: 2, [.int32]),
          scores: try output(scores, rank: 2, [.fp32]),
          spans: try output(spans, rank: 3, [.int32]),
          spanScores: try output(spanScores, rank: 2, [.fp32]),
          notFinite: try output(notFinite, rank: 1, [.int32])))
    }
  }

  private func bind(
    _ name: String, _ tensors: [ModelMetadata.Tensor], _ rank: ClosedRange<Int>,
    _ types: Set<Datatype>
  ) throws -> ModelContract.Tensor {
    guard let found = tensors.first(where: { $0.name == name }) else {
      throw ModelContract.fault(metadata, "it has no \(name)", "expected one")
    }
    guard let datatype = Datatype(rawValue: found.datatype), types.contains(datatype) else {
      let expected = types.map(\.rawValue).sorted().joined(separator: " or ")
      throw ModelContract.fault(metadata, "\(name) is \(found.datatype)", "expected \(expected)")
    }
    guard !found.shape.isEmpty, rank.contains(found.shape.count - 1) else {
      throw ModelContract.fault(
        metadata, "\(name) has shape \(found.shape)", "expected \(rank.upperBound + 1) dimensions")
    }
    // A batch of a fixed length cannot be asked for one sentence.
    guard [-1, 1].contains(found.shape[0]),
      found.shape.dropFirst().allSatisfy({ $0 == -1 || SizeBounds.dimension.contains($0) })
    else {
      throw ModelContract.fault(
        metadata, "\(name) has shape \(found.shape)",
        "expected a batch of -1 and then -1 or 1...\(SizeBounds.dimension.upperBound)")
    }
    return ModelContract.Tensor(
      name: name, datatype: datatype, dimensions: Array(found.shape.dropFirst()))
  }

  /// The one fixed size that several dimensions must share; nil when all are free.
  func agreed(_ places: [(ModelContract.Tensor, Int)], _ what: String) throws -> Int? {
    let fixed = places.map { $0.0.dimensions[$0.1] }.filter { $0 >= 0 }
    guard Set(fixed).count <= 1 else {
      throw ModelContract.fault(
        metadata, "its tensors have \(Set(fixed).sorted()) \(what)", "expected one number")
    }
    return fixed.first
  }

  func agreed(_ tensors: [ModelContract.Tensor], dimension: Int, _ what: String) throws -> Int? {
    try agreed(tensors.map { ($0, dimension) }, what)
  }

  /// triples [T, 5], scores [T, 4], spans [2, K, 2], span scores [2, K], one count.
  func requireSizes(of compact: ModelContract.CompactTensors) throws {
    _ = try agreed([compact.triples, compact.scores], dimension: 0, "triples")
    _ = try agreed([(compact.spans, 1), (compact.spanScores, 1)], "spans")
    let fixed = [
      (compact.triples, 1, 5), (compact.scores, 1, 4), (compact.spans, 0, 2),
      (compact.spans, 2, 2), (compact.spanScores, 0, 2), (compact.notFinite, 0, 1),
    ]
    for (tensor, place, expected) in fixed where ![-1, expected].contains(tensor.dimensions[place])
    {
      throw ModelContract.fault(
        metadata, "\(tensor.name) has dimensions \(tensor.dimensions)",
        "expected \(expected) in place \(place)")
    }
  }
}
