public import ArgumentParser
public import BLAS
internal import EmbeddedEngine
internal import RelationBundle
internal import Inference
internal import RelationExtraction
internal import RelationServing

/// Which model runs, here or on a server, and how.
struct EngineOptions: ParsableArguments {
  @OptionGroup var bundle: BundleOptions

  @Option(
    help: ArgumentHelp(
      "float32, bfloat16 (where the CPU has it) or reference. Default: the fastest FP32.",
      valueName: "precision"))
  var precision: Precision?

  @OptionGroup var workers: WorkerOptions

  @OptionGroup var served: ServedModelOptions

  @Flag(help: "Say how the model is asked, and why, before anything is read.")
  var explainPlan = false

  @Option(
    help: ArgumentHelp(
      "Requests in flight. Default: found from latencies and refusals.", valueName: "n"))
  var concurrency: Int?

  func validate() throws {
    if let concurrency, !(1...4_096).contains(concurrency) {
      throw ValidationError("--concurrency is \(concurrency), expected 1...4096")
    }
    if explainPlan, served.server == nil {
      throw ValidationError("--explain-plan is about a server; give --server")
    }
  }

  func extractor(
    _ bundle: ModelBundle, _ reading: RelationExtractor.Configuration
  ) async throws -> RelationExtractor {
    try RelationExtractor(
      bundle: bundle, engine: try await engine(bundle), configuration: reading)
  }

  /// What ran, for the run's record.
  var engineDescription: String {
    if let server = served.server { return "triton \(server) \(served.model)" }
    return "embedded \(precision?.rawValue ?? Precision.fastestFloat32.rawValue)"
  }

  private func engine(_ bundle: ModelBundle) async throws -> any InferenceEngine {
    guard let server = served.server else {
      var configuration = EmbeddedEngine.Configuration()
      (configuration.precision, configuration.threads) = (precision, workers.threads)
      return try EmbeddedEngine(bundle: bundle, configuration: configuration)
    }
    var configuration = try served.configuration()
    configuration.concurrency = concurrency
    let engine = try await TritonEngine(
      client: try served.answers.client(server), model: served.model,
      shape: bundle.modelShape, configuration: configuration)
    if explainPlan { Terminal.say("plan for \(served.model)\n\(engine.plan.explanation)") }
    return engine
  }
}

/// Threads of the embedded engine.
struct WorkerOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Worker threads. Default: one a core.", valueName: "n"))
  var threads: Int?

  func validate() throws {
    if let threads, !(1...1_024).contains(threads) {
      throw ValidationError("--threads is \(threads), expected 1...1024")
    }
  }
}

extension Precision: ExpressibleByArgument {}
