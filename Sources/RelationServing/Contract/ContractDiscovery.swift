internal import Inference
public import Triton

extension TritonClient {
  /// Reads a relation model's contract from its metadata and configuration.
  ///
  /// - Parameter names: the user's own mapping; nil tries the known namings.
  /// - Throws: `TritonError` of class `contract` that prints expected against got.
  public func contract(
    of model: String, version: String = "", names: TensorNames? = nil,
    options: CallOptions = .init()
  ) async throws -> ModelContract {
    let metadata = try await modelMetadata(model, version: version, options: options)
    let configuration = try await modelConfiguration(model, version: version, options: options)
    return try ModelContract(metadata, configuration, version: version, names: names)
  }

  /// P of a model whose configuration leaves it free, from the answer to one empty sentence.
  ///
  /// - Throws: `TritonError` of class `contract` when so_head has no [B, P, L, L].
  public func countPredicates(
    _ contract: ModelContract, options: CallOptions = .init()
  ) async throws -> Int {
    guard case .dense(let tensors) = contract.answer else {
      throw TritonError(
        code: .contract, message: "model \(contract.model) is compact: it tells no P",
        remedy: "ask the dense model that it belongs to")
    }
    let probe = PaddedBatch(InferenceBatch([[0, 0, 0]]), rows: [0], length: contract.tokens)
    let result = try await infer(probe.request(contract), options: options)
    let shape = try result.output(tensors.soHead.name).shape
    guard shape.count == 4 else {
      throw TritonError(
        code: .contract,
        message: "model \(contract.model) gave \(tensors.soHead.name) with shape \(shape), "
          + "expected [B, P, L, L]")
    }
    return shape[1]
  }
}

extension ModelContract {
  /// Binds a model's tensors to their roles.
  ///
  /// - Throws: `TritonError` of class `contract`.
  public init(
    _ metadata: ModelMetadata, _ configuration: ServedModelConfiguration, version: String = "",
    names: TensorNames? = nil
  ) throws {
    let candidates = names.map { [$0] } ?? TensorNames.known
    guard let names = candidates.first(where: { $0.covers(metadata) }) else {
      throw Self.noNaming(metadata, candidates)
    }
    guard !configuration.isDecoupled else {
      throw Self.fault(metadata, "it is decoupled", "expected one answer to each request")
    }
    let binder = Binder(metadata: metadata, batches: configuration.maxBatchSize > 0)
    model = metadata.name
    self.version = version
    batches = configuration.maxBatchSize > 0
    maxBatchSize = max(configuration.maxBatchSize, 1)
    instances = max(configuration.instances, 1)
    sampleID = try names.sampleID.map { try binder.input($0, rank: 1, Self.integers) }
    tokenIDs = try binder.input(names.tokenIDs, rank: 1, Self.integers)
    tokenTypes = try names.tokenTypes.map { try binder.input($0, rank: 1, Self.integers) }
    mask = try binder.input(names.mask, rank: 1, Self.integers.union(Self.floats))
    answer = try binder.answer(names.answer)
    (predicates, tokens) = (nil, try binder.agreed([tokenIDs, mask].map { ($0, 0) }, "tokens"))
    if case .dense(let dense) = answer { try bind(dense, binder) }
  }

  /// Sizes that the three tensors must share.
  private mutating func bind(_ dense: DenseTensors, _ binder: Binder) throws {
    predicates = try binder.agreed([dense.soHead, dense.soTail], dimension: 0, "predicates")
    tokens = try binder.agreed(
      [tokenIDs, mask].map { ($0, 0) } + outputs.flatMap { [($0, 1), ($0, 2)] }, "tokens")
    if ![-1, 2].contains(dense.entity.dimensions[0]) {
      throw Self.fault(
        binder.metadata, "\(dense.entity.name) has \(dense.entity.dimensions[0]) heads",
        "expected 2: subject and object")
    }
  }

  fileprivate static let integers: Set<Datatype> = [.int32, .int64]
  fileprivate static let floats: Set<Datatype> = [.fp32, .fp16, .bf16]

  /// Refuses a schema of another size, where the model tells its own.
  public func require(predicates expected: Int) throws {
    guard let predicates, predicates != expected else { return }
    throw TritonError(
      code: .contract,
      message: "model \(model) has \(predicates) predicates, the schema has \(expected)",
      remedy: "give the bundle that the model was exported from")
  }

  private static func noNaming(_ metadata: ModelMetadata, _ tried: [TensorNames]) -> TritonError {
    let got = "inputs \(metadata.inputs.map(\.name)) and outputs \(metadata.outputs.map(\.name))"
    // The namings that come nearest: all of them would hide what is wrong.
    let has = Set((metadata.inputs + metadata.outputs).map(\.name))
    let near = tried.max { $0.common(has) < $1.common(has) }.map { $0.common(has) } ?? 0
    let expected = tried.filter { near == 0 || $0.common(has) == near }
      .map { "\($0.inputs) and \($0.outputs)" }.joined(separator: ", or ")
    return fault(
      metadata, "it has \(got)", "expected \(expected)",
      "name its tensors with --tensors, or serve another model")
  }

  static func fault(
    _ metadata: ModelMetadata, _ got: String, _ expected: String, _ remedy: String? = nil
  ) -> TritonError {
    TritonError(
      code: .contract, message: "model \(metadata.name) does not fit: \(got), \(expected)",
      remedy: remedy, rpc: RPC.modelMetadata.name)
  }
}

extension TensorNames {
  /// How many of its names a model has.
  fileprivate func common(_ names: Set<String>) -> Int {
    names.intersection(inputs + outputs).count
  }
}

/// Finds one model's tensors and checks rank and type.
private struct Binder {
  let metadata: ModelMetadata
  let batches: Bool

  func input(_ name: String, rank: Int, _ types: Set<Datatype>) throws -> ModelContract.Tensor {
    try bind(name, metadata.inputs, rank, types)
  }

  func answer(_ names: TensorNames.Answer) throws -> ModelContract.Answer {
    func output(
      _ name: String, rank: Int = 3, _ types: Set<Datatype> = ModelContract.floats
    ) throws -> ModelContract.Tensor {
      try bind(name, metadata.outputs, rank, types)
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
    _ name: String, _ tensors: [ModelMetadata.Tensor], _ rank: Int, _ types: Set<Datatype>
  ) throws -> ModelContract.Tensor {
    guard let found = tensors.first(where: { $0.name == name }) else {
      throw ModelContract.fault(metadata, "it has no \(name)", "expected one")
    }
    guard let datatype = Datatype(rawValue: found.datatype), types.contains(datatype) else {
      let expected = types.map(\.rawValue).sorted().joined(separator: " or ")
      throw ModelContract.fault(metadata, "\(name) is \(found.datatype)", "expected \(expected)")
    }
    guard found.shape.count == rank + 1 else {
      throw ModelContract.fault(
        metadata, "\(name) has shape \(found.shape)", "expected \(rank + 1) dimensions")
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
}
