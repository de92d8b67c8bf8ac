/// What one version of a model has done since it was loaded.
public struct ModelStatistics: Sendable, Hashable, Codable {
  /// The model's name.
  public var name: String
  /// Its version.
  public var version: String
  /// Rows inferred.
  public var inferences: Int
  /// Executions of the model; fewer than rows when batches were joined.
  public var executions: Int
  /// Requests that ended well, with their whole time.
  public var success: Part
  /// Requests that failed.
  public var fail: Part
  /// Time in the queue.
  public var queue: Part
  /// Time to put inputs in place.
  public var computeInput: Part
  /// Time in the model.
  public var computeInfer: Part
  /// Time to take outputs out.
  public var computeOutput: Part
  /// Executions by batch size.
  public var batches: [Batch]

  /// A count and its summed time.
  public struct Part: Sendable, Hashable, Codable {
    /// How often.
    public var count: Int
    /// Nanoseconds, all together.
    public var nanoseconds: Int

    /// A count and its time.
    public init(count: Int = 0, nanoseconds: Int = 0) {
      (self.count, self.nanoseconds) = (count, nanoseconds)
    }

    /// Milliseconds of one; 0 when there was none.
    public var meanMilliseconds: Double {
      count == 0 ? 0 : Double(nanoseconds) / Double(count) / 1e6
    }
  }

  /// Executions of one batch size.
  public struct Batch: Sendable, Hashable, Codable {
    /// Rows in the batch.
    public var size: Int
    /// Time in the model.
    public var computeInfer: Part

    /// Executions of one size.
    public init(size: Int, computeInfer: Part) {
      (self.size, self.computeInfer) = (size, computeInfer)
    }
  }

  /// What a model has done; times that are not given are 0.
  public init(
    name: String, version: String, inferences: Int = 0, executions: Int = 0,
    success: Part = .init(), fail: Part = .init()
  ) {
    (self.name, self.version) = (name, version)
    (self.inferences, self.executions) = (inferences, executions)
    (self.success, self.fail, queue) = (success, fail, .init())
    (computeInput, computeInfer, computeOutput) = (.init(), .init(), .init())
    batches = []
  }

  /// Rows of an average execution; 0 when there was none.
  public var effectiveBatchSize: Double {
    executions == 0 ? 0 : Double(inferences) / Double(executions)
  }

  init(_ message: ProtobufMessage) {
    func part(_ of: ProtobufMessage?, _ name: String) -> Part {
      let part = of?.message(name)
      return Part(count: part?.integer("count") ?? 0, nanoseconds: part?.integer("ns") ?? 0)
    }
    let stats = message.message("inference_stats")
    (name, version) = (message.string("name"), message.string("version"))
    (inferences, executions) = (
      message.integer("inference_count"), message.integer("execution_count")
    )
    (success, fail, queue) = (part(stats, "success"), part(stats, "fail"), part(stats, "queue"))
    computeInput = part(stats, "compute_input")
    computeInfer = part(stats, "compute_infer")
    computeOutput = part(stats, "compute_output")
    batches = message.messages("batch_stats").map {
      Batch(size: $0.integer("batch_size"), computeInfer: part($0, "compute_infer"))
    }
  }
}
