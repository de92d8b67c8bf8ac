extension TritonClient {
  /// Name, version and extensions of the server (`ServerMetadata`).
  public func serverMetadata(_ changes: CallChanges = .init()) async throws -> ServerMetadata {
    let answer = try await call(.serverMetadata, [:], changes)
    return ServerMetadata(
      name: answer.string("name"), version: answer.string("version"),
      extensions: answer.strings("extensions"))
  }

  /// The tensors of a model as a client sends and gets them (`ModelMetadata`).
  public func modelMetadata(
    _ name: String, version: String = "", _ changes: CallChanges = .init()
  ) async throws -> ModelMetadata {
    let request: [String: ProtobufValue] = ["name": .string(name), "version": .string(version)]
    return ModelMetadata(try await call(.modelMetadata, request, changes))
  }

  /// A model's configuration as the server completed it (`ModelConfig`).
  public func modelConfiguration(
    _ name: String, version: String = "", _ changes: CallChanges = .init()
  ) async throws -> ServedModelConfiguration {
    let request: [String: ProtobufValue] = ["name": .string(name), "version": .string(version)]
    let answer = try await call(.modelConfig, request, changes)
    return ServedModelConfiguration(answer.message("config") ?? .init())
  }

  /// What models have done since they were loaded (`ModelStatistics`); all without a name.
  public func modelStatistics(
    _ name: String = "", version: String = "", _ changes: CallChanges = .init()
  ) async throws -> [ModelStatistics] {
    let request: [String: ProtobufValue] = ["name": .string(name), "version": .string(version)]
    let answer = try await call(.modelStatistics, request, changes)
    return answer.messages("model_stats").map { ModelStatistics($0) }
  }
}

/// A server's account of itself.
public struct ServerMetadata: Sendable, Hashable, Codable {
  /// "triton" by default.
  public var name: String
  /// Triton's version, such as 2.51.0.
  public var version: String
  /// The protocol extensions that it speaks.
  public var extensions: [String]
}

/// The tensors of a model as they cross the wire.
public struct ModelMetadata: Sendable, Hashable, Codable {
  /// The model's name.
  public var name: String
  /// The versions that are served.
  public var versions: [String]
  /// The backend's platform name.
  public var platform: String
  /// What it takes.
  public var inputs: [Tensor]
  /// What it gives.
  public var outputs: [Tensor]

  /// One tensor.
  public struct Tensor: Sendable, Hashable, Codable {
    /// Its name.
    public var name: String
    /// The wire's name of its type.
    public var datatype: String
    /// Its full shape, the batch dimension included; -1 is free.
    public var shape: [Int]

    /// A tensor.
    public init(name: String, datatype: String, shape: [Int]) {
      (self.name, self.datatype, self.shape) = (name, datatype, shape)
    }
  }

  /// A model's tensors.
  public init(
    name: String, versions: [String], platform: String, inputs: [Tensor], outputs: [Tensor]
  ) {
    (self.name, self.versions, self.platform) = (name, versions, platform)
    (self.inputs, self.outputs) = (inputs, outputs)
  }

  init(_ message: ProtobufMessage) {
    func tensors(_ name: String) -> [Tensor] {
      message.messages(name).map {
        Tensor(
          name: $0.string("name"), datatype: $0.string("datatype"), shape: $0.integers("shape"))
      }
    }
    self.init(
      name: message.string("name"), versions: message.strings("versions"),
      platform: message.string("platform"), inputs: tensors("inputs"), outputs: tensors("outputs"))
  }
}

/// How a model is served: what a client needs of its config.pbtxt.
public struct ServedModelConfiguration: Sendable, Hashable {
  /// The most rows of one request; 0 when the first dimension is no batch.
  public var maxBatchSize: Int
  /// Instances over all devices: more requests at once only queue.
  public var instances: Int
  /// Whether requests of equal shape are joined.
  public var hasDynamicBatching: Bool
  /// The longest time the batcher holds a request back, in microseconds.
  public var maxQueueDelayMicroseconds: Int
  /// Requests that may queue; 0 is no limit.
  public var maxQueueSize: Int
  /// Any number of answers to one request; such a model is called by a stream.
  public var isDecoupled: Bool
  /// Whether it keeps state between requests of one sequence.
  public var isSequence: Bool
  /// The models that an ensemble chains.
  public var steps: [String]
  /// The `parameters` of config.pbtxt.
  public var parameters: [String: String]
  /// The backend or platform that runs it.
  public var backend: String

  let message: ProtobufMessage

  init(_ message: ProtobufMessage) {
    self.message = message
    maxBatchSize = message.integer("max_batch_size")
    instances = message.messages("instance_group").reduce(0) { sum, group in
      sum + max(group.integer("count"), 1) * max(group.list("gpus").count, 1)
    }
    let batching = message.message("dynamic_batching")
    hasDynamicBatching = batching != nil
    maxQueueDelayMicroseconds = batching?.integer("max_queue_delay_microseconds") ?? 0
    maxQueueSize = batching?.message("default_queue_policy")?.integer("max_queue_size") ?? 0
    isDecoupled = message.message("model_transaction_policy")?.bool("decoupled") ?? false
    isSequence = message.message("sequence_batching") != nil
    steps =
      message.message("ensemble_scheduling")?.messages("step").map { $0.string("model_name") } ?? []
    parameters = message.map("parameters").compactMapValues {
      $0.asMessage?.string("string_value")
    }
    let platform = message.string("platform")
    backend = platform.isEmpty ? message.string("backend") : platform
  }

  /// Everything that the server told, as JSON.
  public var json: String { message.json }
}
