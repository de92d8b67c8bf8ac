public import ArgumentParser
public import BLAS
internal import EmbeddedEngine
internal import Foundation
internal import GlobalPointer
internal import Inference
internal import RelationExtraction
public import Triton
internal import WordPiece

/// Which model runs, and how.
struct EngineOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Model version directory: config.json, model.safetensors, vocab.txt, schema.json.",
      discussion: "Default: $SPO_BUNDLE, else the demo bundle beside this program's sources.",
      valueName: "dir"))
  var bundle: String?

  @Option(
    help: ArgumentHelp(
      "float32, bfloat16 (where the CPU has it) or reference. Default: the fastest FP32.",
      valueName: "precision"))
  var precision: Precision?

  @Option(help: ArgumentHelp("Worker threads. Default: one a core.", valueName: "n"))
  var threads: Int?

  @Option(
    help: ArgumentHelp(
      "Triton's gRPC address, ip:port,ip:port for several, or dns:///name:port.",
      discussion: "Default: none, the model runs in this process.", valueName: "host:port"))
  var server: String?

  @Option(help: ArgumentHelp("The served model.", valueName: "name"))
  var model = "spo_onnx"

  @Option(help: ArgumentHelp("Its version. Default: the server's choice.", valueName: "n"))
  var modelVersion = ""

  @Option(
    help: ArgumentHelp(
      "Names of its tensors: ids=…,types=…,mask=…,entity=…,so_head=…,so_tail=….",
      discussion: "Default: found from the model's metadata.", valueName: "mapping"))
  var tensors: String?

  @Option(
    help: ArgumentHelp(
      "How the model is asked: compact-native, compact-ensemble, dense-shm or dense.",
      discussion: "Default: the first of them that the server has.", valueName: "plan"))
  var plan: ServingRoute?

  @Flag(help: "Say how the model is asked, and why, before anything is read.")
  var explainPlan = false

  @Option(
    help: ArgumentHelp(
      "Requests in flight. Default: found from latencies and refusals.", valueName: "n"))
  var concurrency: Int?

  @Option(help: ArgumentHelp("Longest dense answer of one request.", valueName: "MiB"))
  var answerMemory = 256

  @OptionGroup(title: "Server options") var connection: ServerOptions

  func validate() throws {
    guard (1...2_047).contains(answerMemory) else {
      throw ValidationError("--answer-memory is \(answerMemory), expected 1...2047 MiB")
    }
    if let concurrency, !(1...4_096).contains(concurrency) {
      throw ValidationError("--concurrency is \(concurrency), expected 1...4096")
    }
    if explainPlan, server == nil {
      throw ValidationError("--explain-plan is about a server; give --server")
    }
    if let threads, !(1...1_024).contains(threads) {
      throw ValidationError("--threads is \(threads), expected 1...1024")
    }
  }

  func loadBundle() throws -> ModelBundle {
    try ModelBundle(directory: URL(fileURLWithPath: try bundlePath()))
  }

  func extractor(
    _ bundle: ModelBundle, _ reading: RelationExtractor.Configuration
  ) async throws -> RelationExtractor {
    try RelationExtractor(
      tokenizer: BertTokenizer(vocabulary: bundle.vocabulary),
      engine: try await engine(bundle), schema: bundle.schema, configuration: reading)
  }

  /// What ran, for the run's record.
  var engineDescription: String {
    if let server { return "triton \(server) \(model)" }
    return "embedded \(precision?.rawValue ?? Precision.fastestFloat32.rawValue)"
  }

  func engine(_ bundle: ModelBundle) async throws -> any InferenceEngine {
    guard let server else {
      var configuration = EmbeddedEngine.Configuration()
      (configuration.precision, configuration.threads) = (precision, threads)
      return try EmbeddedEngine(bundle: bundle, configuration: configuration)
    }
    let engine = try await TritonEngine(
      client: try connection.client(server), model: model, shape: bundle.modelShape,
      configuration: try remote())
    if explainPlan { Terminal.say("plan for \(model)\n\(engine.plan.explanation)") }
    return engine
  }

  func remote() throws -> TritonEngine.Configuration {
    var configuration = TritonEngine.Configuration()
    configuration.version = modelVersion
    configuration.names = try tensors.map { try TensorNames(parsing: $0) }
    configuration.answerBytes = answerMemory << 20
    configuration.memory = max(configuration.memory, configuration.answerBytes)
    (configuration.concurrency, configuration.route) = (concurrency, plan)
    return configuration
  }

  private static let demo = "model_repository/spo_onnx/1"

  private func bundlePath() throws -> String {
    if let bundle { return bundle }
    if let named = ProcessInfo.processInfo.environment["SPO_BUNDLE"], !named.isEmpty {
      return named
    }
    let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    let above = sequence(first: program) { $0.path == "/" ? nil : $0.deletingLastPathComponent() }
    let places = [URL(fileURLWithPath: ".")] + above
    for place in places.map({ $0.appendingPathComponent(Self.demo).path }) {
      if FileManager.default.fileExists(atPath: "\(place)/config.json") { return place }
    }
    throw ValidationError("there is no \(Self.demo) here or above the program; give --bundle DIR")
  }
}

extension Precision: ExpressibleByArgument {}
extension ServingRoute: ExpressibleByArgument {}

extension ModelBundle {
  /// The sizes that the bundle's config.json gives.
  var modelShape: ModelShape {
    ModelShape(
      vocabularySize: configuration.vocabularySize, predicates: configuration.predicates,
      maximumTokens: configuration.maximumPositions)
  }
}
