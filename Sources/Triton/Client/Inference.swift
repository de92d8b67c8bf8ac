internal import GRPCChannel
internal import Synchronization

extension TritonClient {
  /// Runs one inference (`ModelInfer`).
  ///
  /// A request that is part of a sequence is never sent twice.
  /// - Throws: `TritonError`; `CancellationError` when the task is cancelled.
  public func infer(_ request: InferRequest, _ changes: CallChanges = .init()) async throws
    -> InferResult
  {
    try request.validate()
    let answer = try await send(
      .modelInfer, request.encoded(), changes, isIdempotent: request.sequence == nil)
    return try reading(.modelInfer) {
      try ResponseWalker.infer(answer.message, inRegions: request.outputsInRegions)
    }
  }

  /// Opens a stream of inferences (`ModelStreamInfer`) for as long as `body` runs.
  ///
  /// Any number of requests may be under way; a decoupled model gives any number of answers to
  /// each. Streams are independent: open several for more throughput. The timeout is the whole
  /// stream's.
  /// - Throws: what `body` throws; `TritonError` when the stream breaks.
  public func stream<Result>(
    _ changes: CallChanges = .init(), _ body: (InferStream) async throws -> Result
  ) async throws -> Result {
    let deadline = ContinuousClock.now + (changes.timeout ?? configuration.timeout)
    let options = options(changes, until: deadline)
    do {
      return try await inferChannel.bidirectional(RPC.modelStreamInfer.method, options: options) {
        try await body(InferStream(call: $0, client: self, regions: OutputsInRegions()))
      }
    } catch let failure as RPCError {
      throw TritonError(failure, .modelStreamInfer, target: target)
    }
  }
}

/// An open stream of inferences: any task sends, one task reads the answers.
public struct InferStream: Sendable, AsyncSequence {
  let call: BidirectionalCall
  let client: TritonClient
  let regions: OutputsInRegions

  /// Sends a request; returns when gRPC has taken it.
  public func send(_ request: InferRequest) async throws {
    try request.validate()
    regions.add(request.outputsInRegions)
    do {
      try await call.send(request.encoded())
    } catch let failure as RPCError {
      throw TritonError(failure, .modelStreamInfer, target: client.target)
    }
  }

  /// Says that no more requests come; the answers end after the last one.
  public func finish() async throws {
    do {
      try await call.finishSending()
    } catch let failure as RPCError {
      throw TritonError(failure, .modelStreamInfer, target: client.target)
    }
  }

  /// Ends the stream at once.
  public func cancel() { call.cancel() }

  /// One answer: a result, or the error of one request, after which the stream goes on.
  public typealias Element = Swift.Result<InferResult, TritonError>

  /// The answers in the server's order; the end is always delivered, or an error thrown.
  public func makeAsyncIterator() -> Iterator { Iterator(stream: self) }

  /// Reads answers.
  public struct Iterator: AsyncIteratorProtocol {
    let stream: InferStream

    /// The next answer; nil after the last.
    public mutating func next() async throws -> Element? {
      do {
        guard let message = try await stream.call.receive() else { return nil }
        return try stream.read(message)
      } catch let failure as RPCError {
        throw TritonError(failure, .modelStreamInfer, target: stream.client.target)
      }
    }
  }

  private func read(_ message: ReceivedMessage) throws -> Element {
    let (text, result) = try client.reading(.modelStreamInfer) {
      try ResponseWalker.stream(message, inRegions: regions.names)
    }
    guard text.isEmpty, let result else {
      // The stream carries no status of its own for one request: the text has to do.
      let failure = RPCError(
        code: Self.status(of: text), message: text, method: RPC.modelStreamInfer.method.path)
      return .failure(TritonError(failure, .modelStreamInfer, target: client.target))
    }
    return .success(result)
  }

  private static func status(of text: String) -> StatusCode {
    if text.contains("unknown model") { return .invalidArgument }
    if text.contains("has no available versions") { return .notFound }
    return .unknown
  }
}

/// The outputs that any request of a stream asked to have in shared memory.
final class OutputsInRegions: Sendable {
  private let all = Mutex<Set<String>>([])

  var names: Set<String> { all.withLock { $0 } }

  func add(_ names: Set<String>) {
    if !names.isEmpty { all.withLock { $0.formUnion(names) } }
  }
}
