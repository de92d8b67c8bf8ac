extension TritonClient {
  /// The models that the server's repositories hold, loaded or not (`RepositoryIndex`).
  public func repositoryIndex(
    onlyReady: Bool = false, options: CallOptions = .init()
  ) async throws -> [RepositoryEntry] {
    let answer = try await call(.repositoryIndex, ["ready": .bool(onlyReady)], options)
    return answer.messages("models").map {
      RepositoryEntry(
        name: $0.string("name"), version: $0.string("version"), state: $0.string("state"),
        reason: $0.string("reason"))
    }
  }

  /// Loads a model, or loads it anew (`RepositoryModelLoad`); waits until it is ready.
  ///
  /// - Parameters:
  ///   - configuration: JSON that takes the place of the model's config.pbtxt.
  ///   - files: contents by path in the model's directory, such as "1/model.onnx", that take the
  ///     place of its directory; needs `configuration`.
  public func loadModel(
    _ name: String, configuration: String? = nil, files: [String: [UInt8]] = [:],
    options: CallOptions = .init()
  ) async throws {
    guard files.isEmpty || configuration != nil else {
      throw TritonError(
        code: .invalidRequest, message: "files are given without a configuration",
        remedy: "Triton takes files only with one", rpc: RPC.repositoryModelLoad.name)
    }
    var parameters: [String: ProtobufValue] = [:]
    if let configuration {
      parameters["config"] = .message(ProtobufMessage(["string_param": .string(configuration)]))
    }
    for (path, content) in files {
      parameters["file:\(path)"] = .message(ProtobufMessage(["bytes_param": .bytes(content)]))
    }
    let request: [String: ProtobufValue] = [
      "model_name": .string(name), "parameters": .map(parameters),
    ]
    _ = try await call(.repositoryModelLoad, request, options)
  }

  /// Unloads a model (`RepositoryModelUnload`); requests on their way are finished first.
  public func unloadModel(
    _ name: String, withDependents: Bool = false, options: CallOptions = .init()
  ) async throws {
    let flag = ProtobufValue.message(ProtobufMessage(["bool_param": .bool(withDependents)]))
    let request: [String: ProtobufValue] = [
      "model_name": .string(name), "parameters": .map(["unload_dependents": flag]),
    ]
    _ = try await call(.repositoryModelUnload, request, options)
  }
}

/// One model version of a repository.
public struct RepositoryEntry: Sendable, Hashable, Codable {
  /// The model's name.
  public var name: String
  /// Its version; empty when none was ever loaded.
  public var version: String
  /// READY, LOADING, UNLOADING or UNAVAILABLE; empty when it was never loaded.
  public var state: String
  /// Why it is in that state.
  public var reason: String

  /// An entry.
  public init(name: String, version: String, state: String, reason: String) {
    (self.name, self.version, self.state, self.reason) = (name, version, state, reason)
  }
}
