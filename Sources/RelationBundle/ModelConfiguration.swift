public import Foundation
internal import Texts

/// A bundle's `config.json`: Hugging Face BERT keys, and the heads under `spo_heads`.
public struct ModelConfiguration: Sendable, Hashable {
  /// How a head turns hidden states into logits.
  public struct Head: Sendable, Hashable {
    /// The two kinds of GlobalPointer.
    public enum Kind: String, Sendable {
      /// Su, 2021: a query and a key for each head.
      case globalPointer = "global_pointer"
      /// Su, 2022: one shared query and key, and two biases for each head.
      case efficientGlobalPointer = "efficient_global_pointer"
    }
    /// The kind.
    public var kind: Kind
    /// d, the width of a query.
    public var size: Int
    /// Whether queries and keys are rotated by position.
    public var rope: Bool
  }

  /// Rows of the word embedding.
  public var vocabularySize: Int
  /// Width of the hidden states.
  public var hiddenSize: Int
  /// Encoder layers.
  public var layers: Int
  /// Attention heads of a layer.
  public var attentionHeads: Int
  /// Width of the feed-forward layer.
  public var intermediateSize: Int
  /// Rows of the position embedding: the longest sentence.
  public var maximumPositions: Int
  /// Rows of the token type embedding.
  public var tokenTypes: Int
  /// Epsilon of every LayerNorm.
  public var layerNormEpsilon: Float
  /// P.
  public var predicateCount: Int
  /// Subject and object spans.
  public var entity: Head
  /// Pairs of first tokens.
  public var soHead: Head
  /// Pairs of last tokens.
  public var soTail: Head
  /// `spo_temperature`, which makes a confidence of a score; 1 where the file has none.
  public var temperature: Float
}

extension ModelConfiguration {
  /// Reads and checks a `config.json`. Throws `BundleError` naming the key.
  public init(contentsOf file: URL) throws {
    let fields = try Fields(file)
    try fields.require("hidden_act", "gelu")
    vocabularySize = try fields.integer("vocab_size", 1...10_000_000)
    hiddenSize = try fields.integer("hidden_size", 1...65_536)
    layers = try fields.integer("num_hidden_layers", 0...1_000)
    attentionHeads = try fields.integer("num_attention_heads", 1...1_024)
    intermediateSize = try fields.integer("intermediate_size", 1...262_144)
    maximumPositions = try fields.integer("max_position_embeddings", 3...65_536)
    tokenTypes = try fields.integer("type_vocab_size", 1...1_024)
    layerNormEpsilon = try fields.number("layer_norm_eps")
    predicateCount = try fields.integer("num_predicates", 1...100_000)
    entity = try fields.head("entity")
    soHead = try fields.head("so_head")
    soTail = try fields.head("so_tail")
    temperature = try fields.temperature()
    guard hiddenSize % attentionHeads == 0 else {
      throw BundleError(
        file.path,
        "hidden_size \(hiddenSize) is no multiple of num_attention_heads "
          + "\(attentionHeads)")
    }
  }
}

/// The fields of a config.json, each read with the error that names it.
private struct Fields {
  let path: String
  let object: [String: Any]

  init(_ file: URL) throws {
    path = file.path
    let bytes: [UInt8]
    do { bytes = try TextFile.bytes(path: path, atMost: 16 << 20) } catch {
      throw BundleError(path, "it cannot be read: \(error)")
    }
    let value = try? JSONSerialization.jsonObject(with: Data(bytes))
    guard let object = value as? [String: Any] else {
      throw BundleError(path, "it is not a JSON object")
    }
    self.object = object
  }

  func require(_ key: String, _ expected: String) throws {
    guard let value = object[key] as? String, value == expected else {
      throw BundleError(
        path, "\(key) is \(object[key] ?? "missing"), expected \"\(expected)\"")
    }
  }

  func integer(_ key: String, _ range: ClosedRange<Int>) throws -> Int {
    guard let value = object[key] as? Int, range.contains(value) else {
      throw BundleError(
        path,
        "\(key) is \(object[key] ?? "missing"), expected an integer in "
          + "\(range.lowerBound)...\(range.upperBound)")
    }
    return value
  }

  func number(_ key: String) throws -> Float {
    guard let value = (object[key] as? NSNumber)?.floatValue, value > 0, value < 1 else {
      throw BundleError(path, "\(key) is \(object[key] ?? "missing"), expected a number in 0..<1")
    }
    return value
  }

  func temperature() throws -> Float {
    guard let given = object["spo_temperature"] else { return 1 }
    guard let value = (given as? NSNumber)?.floatValue, value > 0, value <= 100 else {
      throw BundleError(path, "spo_temperature is \(given), expected a number above 0, at most 100")
    }
    return value
  }

  func head(_ name: String) throws -> ModelConfiguration.Head {
    let heads = object["spo_heads"] as? [String: Any]
    guard let head = heads?[name] as? [String: Any],
      let type = head["type"] as? String, let kind = ModelConfiguration.Head.Kind(rawValue: type),
      let size = head["head_size"] as? Int, (2...1_024).contains(size), size % 2 == 0,
      let rope = head["rope"] as? Bool
    else {
      throw BundleError(
        path,
        "spo_heads.\(name) is \(heads?[name] ?? "missing"), expected {\"type\": "
          + "\"global_pointer\" or \"efficient_global_pointer\", \"head_size\": even, "
          + "\"rope\": true or false}")
    }
    return ModelConfiguration.Head(kind: kind, size: size, rope: rope)
  }
}
