/// What a service needs of a client: inferences, and whether they can be had.
///
/// A service that is written against it can be tested without a server, with a type of its own
/// that answers from memory; `InferResult` and `OutputTensor` can be made for that.
public protocol InferenceClient: Sendable {
  /// Runs one inference.
  func infer(_ request: InferRequest, options: CallOptions) async throws -> InferResult
  /// Whether the server can take inferences.
  func isReady(options: CallOptions) async throws -> Bool
  /// Whether a model can take inferences.
  func isModelReady(_ name: String, version: String, options: CallOptions) async throws -> Bool
}

extension InferenceClient {
  /// Runs one inference with the client's settings.
  public func infer(_ request: InferRequest) async throws -> InferResult {
    try await infer(request, options: .init())
  }

  /// Whether the server can take inferences.
  public func isReady() async throws -> Bool { try await isReady(options: .init()) }

  /// Whether a model can take inferences.
  public func isModelReady(_ name: String) async throws -> Bool {
    try await isModelReady(name, version: "", options: .init())
  }
}

extension TritonClient: InferenceClient {}
