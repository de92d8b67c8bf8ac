extension TritonClient {
  /// Name, version and extensions of the server (`ServerMetadata`).
  public func serverMetadata(options: CallOptions = .init()) async throws -> ServerMetadata {
    let answer = try await call(.serverMetadata, [:], options)
    return ServerMetadata(
      name: answer.string("name"), version: answer.string("version"),
      extensions: answer.strings("extensions"))
  }

  /// The tensors of a model as a client sends and gets them (`ModelMetadata`).
  public func modelMetadata(
    _ name: String, version: String = "", options: CallOptions = .init()
  ) async throws -> ModelMetadata {
    let request: [String: ProtobufValue] = ["name": .string(name), "version": .string(version)]
    let answer = try await call(.modelMetadata, request, options, model: name)
    return try reading(.modelMetadata) {
      let metadata = try ModelMetadata(answer)
      try expectSame("model", name, metadata.name)
      if !version.isEmpty, !metadata.versions.contains(version) {
        throw ProtobufFault(
          description: "the metadata is of the versions \(metadata.versions), asked was \(version)")
      }
      return metadata
    }
  }

  /// A model's configuration as the server completed it (`ModelConfig`).
  public func modelConfiguration(
    _ name: String, version: String = "", options: CallOptions = .init()
  ) async throws -> ServedModelConfiguration {
    let request: [String: ProtobufValue] = ["name": .string(name), "version": .string(version)]
    let answer = try await call(.modelConfig, request, options, model: name)
    return try reading(.modelConfig) {
      let config = answer.message("config") ?? .init()
      try expectSame("model", name, config.string("name"))
      return try ServedModelConfiguration(config)
    }
  }

  /// What models have done since they were loaded (`ModelStatistics`); all without a name.
  public func modelStatistics(
    _ name: String = "", version: String = "", options: CallOptions = .init()
  ) async throws -> [ModelStatistics] {
    let request: [String: ProtobufValue] = ["name": .string(name), "version": .string(version)]
    let answer = try await call(.modelStatistics, request, options)
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

  /// A server's account.
  public init(name: String, version: String, extensions: [String] = []) {
    (self.name, self.version, self.extensions) = (name, version, extensions)
  }
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

  /// - Throws: `ProtobufFault` for a shape that no tensor has.
  init(_ message: ProtobufMessage) throws {
    func tensors(_ name: String) throws -> [Tensor] {
      try message.messages(name).map {
        let tensor = Tensor(
          name: $0.string("name"), datatype: $0.string("datatype"), shape: $0.integers("shape"))
        // A free dimension is 1 at least, so what is fixed must leave room for an Int of elements.
        let fixed = tensor.shape.map { $0 == -1 ? 1 : $0 }
        guard elementCount(of: fixed) != nil else {
          throw ProtobufFault(
            description: "\(tensor.name) has the impossible shape \(tensor.shape), expected "
              + "dimensions of 0 or more, or -1")
        }
        return tensor
      }
    }
    self.init(
      name: message.string("name"), versions: message.strings("versions"),
      platform: message.string("platform"), inputs: try tensors("inputs"),
      outputs: try tensors("outputs"))
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

  /// What the server told that this client is too old or too small to know: the place of each
  /// field and its number in Triton's model_config.proto, as in `dynamic_batching.7`.
  public var unknownFields: [String] { message.unknownFields }

  /// The most instances that are believed: no server has so many, and callers count with them.
  static let maximumInstances = 65_536

  let message: ProtobufMessage

  /// - Throws: `ProtobufFault` for numbers that no configuration has.
  init(_ message: ProtobufMessage) throws {
    self.message = message
    maxBatchSize = message.integer("max_batch_size")
    guard maxBatchSize >= 0 else {
      throw ProtobufFault(description: "max_batch_size is \(maxBatchSize), expected 0 or more")
    }
    instances = try Self.instances(message)
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

  private static func instances(_ message: ProtobufMessage) throws -> Int {
    var sum = 0
    for group in message.messages("instance_group") {
      // Both at most 2^31, so neither the product nor the sum can overflow.
      let count = group.integer("count")
      sum += max(count, 1) * max(group.list("gpus").count, 1)
      guard count >= 0, sum <= maximumInstances else {
        throw ProtobufFault(
          description: "an instance_group has count \(count), expected 0 or more and at most "
            + "\(maximumInstances) instances in all")
      }
    }
    return sum
  }

  /// What the server told and this client knows, as JSON; the rest is in `unknownFields`.
  public var json: String { message.json }
}
