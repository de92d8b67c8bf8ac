internal import ArgumentParser
internal import BLAS
internal import EmbeddedEngine
internal import RelationBundle
internal import Foundation
internal import Inference
internal import RelationExtraction
internal import RelationServing
internal import Triton
internal import WordPiece

/// One side of a comparison: `embedded`, `embedded:PRECISION`, a bundle's directory, or
/// `HOST:PORT/MODEL` with `@VERSION` and `+PLAN` where they matter.
struct Side {
  let text: String
  private let kind: Kind

  private enum Kind {
    case embedded(directory: String?, precision: Precision?)
    case served(server: String, model: String, version: String, plan: ServingRoute?)
  }

  init(_ text: String) throws {
    self.text = text
    if let slash = text.lastIndex(of: "/"), text[..<slash].contains(":"),
      !FileManager.default.fileExists(atPath: text)
    {
      kind = try Self.served(String(text[..<slash]), text[text.index(after: slash)...])
      return
    }
    let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
    let precision = try parts.dropFirst().first.map { name in
      guard let precision = Precision(rawValue: name) else {
        throw ValidationError("\(text): \(name) is no precision: float32, bfloat16 or reference")
      }
      return precision
    }
    let place = parts.first ?? ""
    guard place == "embedded" || FileManager.default.fileExists(atPath: place) else {
      throw ValidationError(
        "\"\(text)\" is neither embedded, nor a bundle's directory, nor HOST:PORT/MODEL")
    }
    kind = .embedded(directory: place == "embedded" ? nil : place, precision: precision)
  }

  private static func served(_ server: String, _ rest: Substring) throws -> Kind {
    let (named, plan) = cut(rest, at: "+")
    let (model, version) = cut(named, at: "@")
    let route = try plan.map { name in
      guard let route = ServingRoute(rawValue: name) else {
        let known = ServingRoute.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("+\(name) is no plan: \(known)")
      }
      return route
    }
    return .served(server: server, model: String(model), version: version ?? "", plan: route)
  }

  private static func cut(_ text: Substring, at mark: Character) -> (Substring, String?) {
    guard let place = text.firstIndex(of: mark) else { return (text, nil) }
    return (text[..<place], String(text[text.index(after: place)...]))
  }

  /// The reader of this side.
  func extractor(
    _ command: CompareCommand, _ configuration: RelationExtractor.Configuration
  ) async throws -> RelationExtractor {
    var place = command.bundle
    if case .embedded(let directory?, _) = kind { place.bundle = directory }
    let bundle = try place.load()
    return try RelationExtractor(
      tokenizer: BertTokenizer(vocabulary: bundle.vocabulary),
      engine: try await engine(bundle, command), schema: bundle.schema,
      configuration: configuration)
  }

  private func engine(
    _ bundle: ModelBundle, _ command: CompareCommand
  ) async throws -> any InferenceEngine {
    switch kind {
    case .embedded(_, let precision):
      var configuration = EmbeddedEngine.Configuration()
      (configuration.precision, configuration.threads) = (precision, command.workers.threads)
      return try EmbeddedEngine(bundle: bundle, configuration: configuration)
    case .served(let server, let model, let version, let plan):
      let client = try command.answers.client(server)
      var configuration = try command.answers.configuration()
      (configuration.version, configuration.route) = (version, plan)
      if plan == nil {
        // The named model itself, and not one that answers for it.
        let contract = try await client.contract(
          of: model, version: version, names: configuration.names)
        if !contract.isCompact { configuration.route = .dense }
      }
      return try await TritonEngine(
        client: client, model: model, shape: bundle.modelShape, configuration: configuration)
    }
  }
}
