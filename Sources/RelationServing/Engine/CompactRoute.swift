internal import GlobalPointer
internal import Inference
internal import Triton

/// Asks for the best spans and triples, which the server decodes.
struct CompactRoute {
  let contract: ModelContract
  let predicates: Int
  let dispatcher: Dispatcher
  /// The dense tensors that one request may need inside the server.
  let serverBytes: Int
  /// Whether a dense model answers what this one does not.
  let hasReserve: Bool

  /// Each row's candidates; nil for a row whose answer may be cut.
  ///
  /// - Parameter onFailure: called with the rows of a request that failed because of the model, and
  ///   why: another model may answer them.
  func infer(
    _ batch: InferenceBatch, threshold: Float, onFailure: (Int, TritonError) -> Void
  ) async throws -> [SentenceCandidates?] {
    var answers: [SentenceCandidates?] = []
    let rows = Array(0..<batch.rowCount)
    for part in contract.parts(batch, rows, predicates: predicates, within: serverBytes) {
      do {
        answers += try await ask(batch, part) { compact in
          try part.enumerated().map { place, row in
            try compact.decode(place, batch.range(of: row).count, threshold)
          }
        }
      } catch let error as TritonError where Self.concernModel.contains(error.code) {
        onFailure(part.count, error)
        answers = answers.prefix(part.startIndex) + Array(repeating: nil, count: part.count)
      }
    }
    return answers
  }

  /// Classes of errors that a server of a cluster may give for a model that another one serves.
  private static let concernModel: Set<TritonError.Code> = [
    .unknownModel, .notReady, .loadFailed, .contract, .serverBug, .serverFailure,
  ]

  private func ask<Result>(
    _ batch: InferenceBatch, _ rows: ArraySlice<Int>, _ read: (CompactAnswer) throws -> Result
  ) async throws -> Result {
    let padded = PaddedBatch(batch, rows: rows, length: contract.tokens)
    let work = ConcurrencyRule.Work(
      model: contract.model, tokens: padded.rows * padded.length)
    let bytes = saturatingProduct(
      padded.rows, contract.answerBytes(tokens: padded.length, predicates: predicates))
    // A model that is not ready is waited for only where no other can answer.
    return try await dispatcher.send(work, bytes: bytes, final: hasReserve ? [.notReady] : []) {
      _ in
      padded.request(contract)
    } read: {
      try read(CompactAnswer($0, contract, padded, predicates: predicates))
    }
  }
}
