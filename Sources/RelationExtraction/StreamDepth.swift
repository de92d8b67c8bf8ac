internal import Inference

/// How far ahead of its consumer a stream reads. It follows the engine, whose limits may grow.
struct StreamDepth {
  let limits: EngineLimits
  /// Read and not handed out, in documents and in bytes of their texts.
  let bound: ReadPosition
  /// Documents that are tokenized and handed out together.
  let chunk: Int

  /// Rows in the engine, and as many that wait or have overtaken a slow call.
  private static let rounds = 2
  private static let least = ReadPosition(documents: 2_048, bytes: 4 << 20)
  /// More than most sentences have.
  private static let bytesOfDocument = 512
  private static let longestChunk = 256

  init(_ limits: EngineLimits, _ configuration: RelationExtractor.Configuration) {
    self.limits = limits
    let (rows, overflows) = limits.concurrency.multipliedReportingOverflow(
      by: Self.rounds * limits.batchRows)
    let followed = max(Self.least.documents, overflows ? Int.max >> 16 : rows)
    let documents = max(1, configuration.lookAhead ?? followed)
    let bytes =
      configuration.lookAheadBytes
      ?? max(
        Self.least.bytes, min(documents, Int.max / Self.bytesOfDocument) * Self.bytesOfDocument)
    bound = ReadPosition(documents: documents, bytes: max(1, bytes))
    chunk = max(1, min(documents / 4, Self.longestChunk))
  }
}
