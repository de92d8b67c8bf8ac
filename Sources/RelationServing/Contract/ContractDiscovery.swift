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
    let result = try await infer(PaddedBatch.probe(contract).request(contract), options: options)
    return try contract.predicates(in: result, tensors)
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
    servedVersion = try Self.servedVersion(metadata, version)
    batches = configuration.maxBatchSize > 0
    maxBatchSize = max(configuration.maxBatchSize, 1)
    instances = max(configuration.instances, 1)
    sampleID = try names.sampleID.map(binder.sampleID)
    tokenIDs = try binder.input(names.tokenIDs, rank: 1, Self.integers)
    tokenTypes = try names.tokenTypes.map { try binder.input($0, rank: 1, Self.integers) }
    mask = try binder.input(names.mask, rank: 1, Self.integers.union(Self.floats))
    answer = try binder.answer(names.answer)
    (predicateCount, tokens) = (nil, try binder.agreed([tokenIDs, mask].map { ($0, 0) }, "tokens"))
    switch answer {
    case .dense(let dense): try bind(dense, binder)
    case .compact(let compact): try binder.requireSizes(of: compact)
    }
    try requireSizes(metadata)
  }

  /// The version that an answer must name: the one that was asked for, or the latest of those
  /// served, which is what Triton takes by itself.
  private static func servedVersion(_ metadata: ModelMetadata, _ asked: String) throws -> String? {
    if metadata.versions.isEmpty { return asked.isEmpty ? nil : asked }
    guard asked.isEmpty else {
      guard metadata.versions.contains(asked) else {
        throw fault(metadata, "its versions are \(metadata.versions)", "expected \(asked)")
      }
      return asked
    }
    return metadata.versions.max { (Int($0) ?? 0) < (Int($1) ?? 0) }
  }

  private func requireSizes(_ metadata: ModelMetadata) throws {
    if let tokens, !SizeBounds.tokens.contains(tokens) {
      throw Self.fault(
        metadata, "its sentences have \(tokens) tokens",
        "expected -1 or \(SizeBounds.tokens.lowerBound)...\(SizeBounds.tokens.upperBound)")
    }
    if let predicateCount, !SizeBounds.predicates.contains(predicateCount) {
      throw Self.fault(
        metadata, "it has \(predicateCount) predicates",
        "expected -1 or \(SizeBounds.predicates.lowerBound)...\(SizeBounds.predicates.upperBound)")
    }
  }

  /// Sizes that the three tensors must share.
  private mutating func bind(_ dense: DenseTensors, _ binder: Binder) throws {
    predicateCount = try binder.agreed([dense.soHead, dense.soTail], dimension: 0, "predicates")
    tokens = try binder.agreed(
      [tokenIDs, mask].map { ($0, 0) } + outputs.flatMap { [($0, 1), ($0, 2)] }, "tokens")
    if ![-1, 2].contains(dense.entity.dimensions[0]) {
      throw Self.fault(
        binder.metadata, "\(dense.entity.name) has \(dense.entity.dimensions[0]) heads",
        "expected 2: subject and object")
    }
  }

  static let integers: Set<Datatype> = [.int32, .int64]
  static let floats: Set<Datatype> = [.fp32, .fp16, .bf16]

  /// Refuses an answer of another version than the one that was looked at.
  ///
  /// A model that is loaded anew under another version while an engine lives may differ in every
  /// size and weight: what was found out of it no longer holds, and one run must not mix two models
  /// without a word. The engine has to be made again. A reload under the same version cannot be
  /// told apart.
  func require(version: String) throws {
    guard let servedVersion, version != servedVersion else { return }
    throw TritonError(
      code: .contract,
      message:
        "model \(model) answered as version \"\(version)\", expected \(servedVersion), which "
        + "the server told of first",
      remedy: "it was loaded anew meanwhile: begin again, so that no run mixes two models")
  }

  /// P as the answer to a probe has it.
  func predicates(in result: InferResult, _ tensors: DenseTensors) throws -> Int {
    let shape = try result.output(tensors.soHead.name).shape
    guard shape.count == 4, SizeBounds.predicates.contains(shape[1]) else {
      throw TritonError(
        code: .contract,
        message: "model \(model) gave \(tensors.soHead.name) with shape \(shape), "
          + "expected [B, P, L, L]")
    }
    return shape[1]
  }

  /// Refuses a schema of another size, where the model tells its own.
  public func require(predicates expected: Int) throws {
    guard let predicateCount, predicateCount != expected else { return }
    throw TritonError(
      code: .contract,
      message: "model \(model) has \(predicateCount) predicates, the schema has \(expected)",
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
