internal import GlobalPointer
internal import Inference
internal import Triton

/// Asks for all logits and decodes them where they arrive.
struct DenseRoute {
  let contract: ModelContract
  let predicates: Int
  let dispatcher: Dispatcher
  /// Where answers go; nil sends them through gRPC.
  let regions: RegionPool?
  /// The longest answer of one request.
  let answerBytes: Int
  let tally: EngineTally

  /// The candidates of some rows of a batch, in their order.
  func infer(
    _ batch: InferenceBatch, rows: [Int], threshold: Float
  ) async throws -> [SentenceCandidates] {
    var answers: [SentenceCandidates] = []
    answers.reserveCapacity(rows.count)
    for part in contract.parts(batch, rows, predicates: predicates, within: answerBytes) {
      answers += try await ask(batch, part) { dense in
        try part.enumerated().map { place, row in
          let tokens = batch.range(of: row).count
          return try dense.decode(place, tokens, threshold, reportedAs: row)
        }
      }
    }
    return answers
  }

  /// What `read` makes of the answer to some rows of a batch, as one request.
  func ask<Result>(
    _ batch: InferenceBatch, _ rows: some Collection<Int>, _ read: (DenseAnswer) throws -> Result
  ) async throws -> Result {
    let padded = PaddedBatch(batch, rows: rows, length: contract.tokens)
    let work = ConcurrencyRule.Work(
      model: contract.model, tokens: padded.rows * padded.length)
    let sizes = contract.outputs.map { size($0, padded) }
    let bytes = sizes.reduce(0, +)
    if let regions {
      do {
        return try await askShared(padded, work, sizes, regions, read)
      } catch let error as TritonError where Self.concernMemory.contains(error.code) {
        tally.fellBack(padded.rows, error)
      }
    }
    return try await dispatcher.send(work, bytes: bytes) {
      padded.request(contract)
    } read: {
      try read(DenseAnswer($0, contract, padded, predicates: predicates))
    }
  }

  /// Classes of errors that gRPC may be free of.
  private static let concernMemory: Set<TritonError.Code> = [
    .sharedMemory, .regionInUse, .contract, .size, .unsupported, .serverBug, .serverFailure,
    .invalidRequest,
  ]

  private func askShared<Result>(
    _ padded: PaddedBatch, _ work: ConcurrencyRule.Work, _ sizes: [Int], _ regions: RegionPool,
    _ read: (DenseAnswer) throws -> Result
  ) async throws -> Result {
    var region: PooledRegion?
    do {
      return try await dispatcher.send(work, bytes: sizes.reduce(0, +)) {
        let taken = try await regions.take(sizes.reduce(0, +))
        region = taken
        return padded.request(contract, outputs(in: taken, sizes))
      } read: {
        let shared = region.map { views(of: $0, sizes) } ?? [:]
        return try read(
          DenseAnswer($0, contract, padded, predicates: predicates, shared: shared))
      }
    } catch {
      region?.abandon()
      throw error
    }
  }

  private func size(_ tensor: ModelContract.Tensor, _ padded: PaddedBatch) -> Int {
    let heads = tensor == contract.outputs[0] ? 2 : predicates
    return padded.rows * heads * padded.length * padded.length * (tensor.datatype.byteCount ?? 4)
  }

  private func outputs(in region: PooledRegion, _ sizes: [Int]) -> [RequestedOutput] {
    var offset = 0
    return zip(contract.outputs, sizes).map { tensor, size in
      defer { offset += size }
      return RequestedOutput(tensor.name, region: region.slice(offset, size))
    }
  }

  private func views(of region: PooledRegion, _ sizes: [Int]) -> [String: TensorBytes] {
    var offset = 0
    let pairs = zip(contract.outputs, sizes).map { tensor, size in
      defer { offset += size }
      return (tensor.name, region.bytes(offset, size))
    }
    return Dictionary(uniqueKeysWithValues: pairs)
  }
}

extension ModelContract {
  /// Rows cut into requests: none has more than the model's batch size, or needs more than `bytes`
  /// for its dense tensors unless one row alone does.
  func parts(
    _ batch: InferenceBatch, _ rows: [Int], predicates: Int, within bytes: Int
  ) -> [ArraySlice<Int>] {
    var parts: [ArraySlice<Int>] = []
    var (first, longest) = (0, 0)
    for place in rows.indices {
      let length = tokens ?? max(batch.range(of: rows[place]).count, batch.paddedLength ?? 0)
      let rowBytes = denseBytes(tokens: max(longest, length), predicates: predicates)
      if place > first, place - first == maxBatchSize || place - first + 1 > bytes / rowBytes {
        parts.append(rows[first..<place])
        (first, longest) = (place, length)
      }
      longest = max(longest, length)
    }
    if first < rows.count { parts.append(rows[first...]) }
    return parts
  }

  /// Bytes of one sentence's logits, whether they are sent or stay in the server.
  func denseBytes(tokens: Int, predicates: Int) -> Int {
    isCompact
      ? 4 * (2 + 2 * predicates) * tokens * tokens
      : answerBytes(tokens: tokens, predicates: predicates)
  }
}
