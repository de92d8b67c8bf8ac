public import ArgumentParser
public import BLAS
internal import EmbeddedEngine
internal import Foundation
internal import GlobalPointer
internal import RelationExtraction
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

  func validate() throws {
    if let threads, !(1...1_024).contains(threads) {
      throw ValidationError("--threads is \(threads), expected 1...1024")
    }
  }

  func loadBundle() throws -> ModelBundle {
    try ModelBundle(directory: URL(fileURLWithPath: try bundlePath()))
  }

  func extractor(
    _ bundle: ModelBundle, _ reading: RelationExtractor.Configuration
  ) throws -> RelationExtractor {
    var configuration = EmbeddedEngine.Configuration()
    (configuration.precision, configuration.threads) = (precision, threads)
    return try RelationExtractor(
      tokenizer: BertTokenizer(vocabulary: bundle.vocabulary),
      engine: EmbeddedEngine(bundle: bundle, configuration: configuration),
      schema: bundle.schema, configuration: reading)
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
