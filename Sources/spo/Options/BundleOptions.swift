internal import ArgumentParser
internal import RelationBundle
internal import Foundation

/// Where the vocabulary, the schema and the weights are.
struct BundleOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Model version directory: config.json, model.safetensors, vocab.txt, schema.json.",
      discussion: "Default: $SPO_BUNDLE, else the demo bundle beside this program's sources.",
      valueName: "dir"))
  var bundle: String?

  func load() throws -> ModelBundle {
    try ModelBundle(directory: URL(fileURLWithPath: try path()))
  }

  private static let demo = "model_repository/spo_onnx/1"

  private func path() throws -> String {
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
