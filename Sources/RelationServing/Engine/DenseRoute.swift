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
    let bytes = sizes.reduce(0, saturatingSum)
    try requireRoom(bytes, padded)
    if let regions {
      do {
        return try await askShared(padded, work, sizes, regions, read)
      } catch let error as TritonError where Self.concernMemory.contains(error.code) {
        tally.fellBack(padded.rows, error)
      }
    }
    return try await dispatcher.send(work, bytes: bytes) { _ in
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
    let bytes = sizes.reduce(0, saturatingSum)
    var region: PooledRegion?
    do {
      return try await dispatcher.send(work, bytes: bytes, isSentOnce: true) { failure in
        // A request that was refused is not run; one that was lost may still be written for.
        if let failure, failure.code != .overload {
          region?.abandon()
          region = nil
        }
        let taken: PooledRegion
        if let region { taken = region } else { taken = try await regions.take(bytes) }
        region = taken
        return padded.request(contract, taken.outputs(contract, sizes))
      } read: {
        let shared = region.map { $0.views(contract, sizes) } ?? [:]
        return try read(
          DenseAnswer($0, contract, padded, predicates: predicates, shared: shared))
      }
    } catch {
      region?.abandon()
      throw error
    }
  }

  private func size(_ tensor: ModelContract.Tensor, _ padded: PaddedBatch) -> Int {
    contract.outputBytes(tensor, padded, predicates: predicates)
  }

  private func requireRoom(_ bytes: Int, _ padded: PaddedBatch) throws {
    guard bytes > Int(Int32.max) else { return }
    throw TritonError(
      code: .size,
      message:
        "\(padded.rows) sentence(s) of \(padded.length) tokens give an answer of \(bytes) bytes, "
        + "gRPC's limit is \(Int32.max)",
      remedy: "use shorter windows or a compact model with room for more spans and triples")
  }
}

extension ModelContract {
  /// Bytes of one dense output of a request.
  func outputBytes(_ tensor: Tensor, _ padded: PaddedBatch, predicates: Int) -> Int {
    let heads = tensor == outputs[0] ? 2 : predicates
    return saturatingProduct(
      padded.rows, heads, padded.length, padded.length, tensor.datatype.byteCount ?? 4)
  }

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
}
