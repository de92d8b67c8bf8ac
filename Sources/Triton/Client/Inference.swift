internal import GRPCChannel
internal import Synchronization

extension TritonClient {
  /// Runs one inference (`ModelInfer`).
  ///
  /// A request that is part of a sequence is never sent twice.
  /// - Throws: `TritonError`; `CancellationError` when the task is cancelled.
  public func infer(_ request: InferRequest, options: CallOptions = .init()) async throws
    -> InferResult
  {
    try request.validate()
    let answer = try await send(
      .modelInfer, request.encoded(), options, model: request.modelName,
      isIdempotent: request.sequence == nil)
    return try reading(.modelInfer) {
      var result = try ResponseWalker.infer(answer.message, inRegions: request.outputsInRegions)
      try request.check(result)
      result.answer = answer
      return result
    }
  }

  /// Opens a stream of inferences (`ModelStreamInfer`) for as long as `body` runs, in its caller's
  /// isolation: an actor may use its own state there.
  ///
  /// Any number of requests may be under way; a decoupled model gives any number of answers to
  /// each. Streams are independent: open several for more throughput. The timeout is the whole
  /// stream's, and a stream that breaks is not opened again.
  /// - Throws: what `body` throws; `TritonError` when the stream breaks.
  public func stream<Result>(
    options: CallOptions = .init(), isolation: isolated (any Actor)? = #isolation,
    _ body: (InferStream) async throws -> Result
  ) async throws -> Result {
    let call = OngoingCall(
      .modelStreamInfer, model: nil, isIdempotent: false, options, configuration)
    var rpcOptions = rpcOptions(call, try await providedHeaders(call))
    if options.endsStreamOnError { rpcOptions.metadata.append("triton_grpc_error", "true") }
    let server = pool.present()
    do {
      return try await pool.servers[server].infer.bidirectional(
        RPC.modelStreamInfer.method, options: rpcOptions
      ) {
        try await body(InferStream(call: $0, client: self, server: server, asked: AskedOfStream()))
      }
    } catch let failure as RPCError {
      throw translated(failure, .modelStreamInfer, at: server)
    }
  }
}

/// An open stream of inferences: any task sends, one task reads the answers.
public struct InferStream: Sendable, AsyncSequence {
  let call: BidirectionalCall
  let client: TritonClient
  let server: Int
  let asked: AskedOfStream

  /// Sends a request; returns when gRPC has taken it.
  public func send(_ request: InferRequest) async throws {
    try request.validate()
    asked.add(request)
    do {
      try await call.send(request.encoded())
    } catch let failure as RPCError {
      throw client.translated(failure, .modelStreamInfer, at: server)
    }
  }

  /// Says that no more requests come; the answers end after the last one.
  public func finish() async throws {
    do {
      try await call.finishSending()
    } catch let failure as RPCError {
      throw client.translated(failure, .modelStreamInfer, at: server)
    }
  }

  /// The server's headers, waited for; Triton sends them with its first answer.
  public func headers() async -> Metadata { await call.initialMetadata() }

  /// The server's trailers, waited for: they come with the end of the stream.
  public func trailers() async -> Metadata { await call.trailingMetadata() }

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
        throw stream.client.translated(failure, .modelStreamInfer, at: stream.server)
      }
    }
  }

  private func read(_ message: ReceivedMessage) throws -> Element {
    let (text, result) = try client.reading(.modelStreamInfer) {
      let answer = try ResponseWalker.stream(message, inRegions: asked.regions)
      if let result = answer.result { try asked.check(result) }
      return answer
    }
    guard text.isEmpty, let result else {
      // The stream carries no status of its own for one request: the text has to do.
      let failure = RPCError(
        code: StreamStatus.of(text), message: text, method: RPC.modelStreamInfer.method.path)
      return .failure(client.translated(failure, .modelStreamInfer, at: server))
    }
    return .success(result)
  }
}

/// What the requests of a stream asked for: its answers are held against it.
final class AskedOfStream: Sendable {
  private let state = Mutex((regions: Set<String>(), models: Set<String>()))

  /// The outputs that any request wanted in shared memory.
  var regions: Set<String> { state.withLock { $0.regions } }

  func add(_ request: InferRequest) {
    state.withLock { state in
      state.regions.formUnion(request.outputsInRegions)
      state.models.insert(request.modelName)
    }
  }

  /// An answer comes from a model that was asked. The empty answer that only says that a request
  /// has no more need not name one.
  func check(_ result: InferResult) throws {
    let models = state.withLock { $0.models }
    guard !models.contains(result.modelName), !(result.outputs.isEmpty && result.modelName.isEmpty)
    else { return }
    throw ProtobufFault(
      description: "an answer comes from model \"\(result.modelName)\", "
        + "asked were \(models.sorted())")
  }
}
