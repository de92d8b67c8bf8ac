internal import BLAS
internal import CKernels
internal import RelationBundle

/// gamma and beta of a LayerNorm.
struct LayerNorm: Sendable {
  let gamma: AlignedMemory
  let beta: AlignedMemory
  let epsilon: Float

  init(_ reader: WeightReader, _ name: String, _ configuration: ModelConfiguration) throws {
    gamma = try reader.floats("\(name).weight", [configuration.hiddenSize])
    beta = try reader.floats("\(name).bias", [configuration.hiddenSize])
    epsilon = configuration.layerNormEpsilon
  }

  /// out = LayerNorm(x + residual), all [rows, width]; out may be x.
  func apply(
    _ x: UnsafePointer<Float>, residual: UnsafePointer<Float>?, rows: Int,
    into out: UnsafeMutablePointer<Float>
  ) {
    let (gamma, beta) = (gamma.floats, beta.floats)
    spo_add_layer_norm(
      x, residual, gamma.baseAddress, beta.baseAddress, epsilon, rows, gamma.count, out)
  }
}

/// One post-LN transformer layer.
struct EncoderLayer: Sendable {
  let query, key, value, attentionOutput, intermediate, output: Linear
  let attentionNorm, outputNorm: LayerNorm

  init(_ reader: WeightReader, index: Int, _ configuration: ModelConfiguration) throws {
    let prefix = "bert.encoder.layer.\(index)"
    let (width, wide) = (configuration.hiddenSize, configuration.intermediateSize)
    func square(_ name: String) throws -> Linear {
      try reader.linear("\(prefix).attention.\(name)", rows: width, columns: width)
    }
    query = try square("self.query")
    key = try square("self.key")
    value = try square("self.value")
    attentionOutput = try square("output.dense")
    attentionNorm = try LayerNorm(reader, "\(prefix).attention.output.LayerNorm", configuration)
    intermediate = try reader.linear("\(prefix).intermediate.dense", rows: wide, columns: width)
    output = try reader.linear("\(prefix).output.dense", rows: width, columns: wide)
    outputNorm = try LayerNorm(reader, "\(prefix).output.LayerNorm", configuration)
  }
}

/// BERT's encoder without its pooler: token ids to hidden states [tokens, hidden_size].
struct Encoder: Sendable {
  let configuration: ModelConfiguration
  let precision: Precision
  let words, positions, types: EmbeddingTable
  let embeddingNorm: LayerNorm
  let layers: [EncoderLayer]

  init(_ reader: WeightReader, _ configuration: ModelConfiguration) throws {
    self.configuration = configuration
    precision = reader.precision
    let embeddings = "bert.embeddings"
    func table(_ name: String, _ rows: Int) throws -> EmbeddingTable {
      try EmbeddingTable(
        reader, "\(embeddings).\(name).weight", rows: rows, width: configuration.hiddenSize)
    }
    words = try table("word_embeddings", configuration.vocabularySize)
    positions = try table("position_embeddings", configuration.maximumPositions)
    types = try table("token_type_embeddings", configuration.tokenTypes)
    embeddingNorm = try LayerNorm(reader, "\(embeddings).LayerNorm", configuration)
    layers = try (0..<configuration.layers).map {
      try EncoderLayer(reader, index: $0, configuration)
    }
  }

  /// Hidden states of all tokens, in `workspace.hidden`. `checkpoint` runs before each layer.
  func forward(
    _ sentences: PackedSentences, _ workspace: Workspace, checkpoint: () throws -> Void
  ) throws -> UnsafeMutablePointer<Float> {
    let (count, width) = (sentences.tokenCount, configuration.hiddenSize)
    let hidden = try workspace.hidden.reserve(count * width)
    try embed(sentences, into: hidden, workspace)
    let projected = try workspace.projected.reserve(count * width)
    let wide = try workspace.intermediate.reserve(count * configuration.intermediateSize)
    let scratch = try workspace.scratch.reserve(scratchCount(sentences))
    for layer in layers {
      try checkpoint()
      let context = try attend(layer, hidden, sentences, workspace, scratch)
      layer.attentionOutput.apply(context, count: count, into: projected, scratch: scratch)
      layer.attentionNorm.apply(projected, residual: hidden, rows: count, into: hidden)
      layer.intermediate.apply(hidden, count: count, into: wide, scratch: scratch)
      spo_gelu(wide, count * configuration.intermediateSize)
      layer.output.apply(wide, count: count, into: projected, scratch: scratch)
      layer.outputNorm.apply(projected, residual: hidden, rows: count, into: hidden)
    }
    return hidden
  }

  /// Products of activations with activations are FP32 whatever the weights are.
  var productPrecision: Precision { precision == .reference ? .reference : .float32 }

  private func scratchCount(_ sentences: PackedSentences) -> Int {
    let size = configuration.hiddenSize / configuration.attentionHeads
    let longest = sentences.longest
    return max(
      Linear.scratchCount(depth: configuration.intermediateSize),
      Linear.scratchCount(depth: configuration.hiddenSize),
      multiplyScratchCount(n: longest, k: size), multiplyScratchCount(n: size, k: longest))
  }

  private func embed(
    _ sentences: PackedSentences, into hidden: UnsafeMutablePointer<Float>, _ workspace: Workspace
  ) throws {
    let width = configuration.hiddenSize
    let row = try workspace.gathered.reserve(2 * width)
    types.copyRow(0, to: row + width)
    for (start, end) in zip(sentences.rows, sentences.rows.dropFirst()) {
      for token in start..<end {
        let out = hidden + token * width
        words.copyRow(Int(sentences.ids[token]), to: out)
        positions.copyRow(token - start, to: row)
        for i in 0..<width { out[i] += row[i] + row[width + i] }
      }
    }
    embeddingNorm.apply(hidden, residual: nil, rows: sentences.tokenCount, into: hidden)
  }

  /// softmax(Q K^T / sqrt(d)) V for every head of every sentence: [tokens, hidden_size].
  private func attend(
    _ layer: EncoderLayer, _ hidden: UnsafePointer<Float>, _ sentences: PackedSentences,
    _ workspace: Workspace, _ scratch: UnsafeMutablePointer<Float>
  ) throws -> UnsafeMutablePointer<Float> {
    let (count, width) = (sentences.tokenCount, configuration.hiddenSize)
    let size = width / configuration.attentionHeads
    let query = try workspace.query.reserve(count * width)
    let key = try workspace.key.reserve(count * width)
    let value = try workspace.value.reserve(count * width)
    let context = try workspace.context.reserve(count * width)
    layer.query.apply(hidden, count: count, into: query, scratch: scratch)
    layer.key.apply(hidden, count: count, into: key, scratch: scratch)
    layer.value.apply(hidden, count: count, into: value, scratch: scratch)
    let scores = try workspace.scores.reserve(sentences.longest * sentences.longest)
    for (start, end) in zip(sentences.rows, sentences.rows.dropFirst()) {
      let n = end - start
      for head in 0..<configuration.attentionHeads {
        let at = start * width + head * size
        multiply(
          m: n, n: n, k: size, query + at, strideA: width, key + at, strideB: width,
          transposed: false, into: scores, strideC: n, precision: productPrecision, scratch: scratch
        )
        spo_softmax(scores, n, n, n, 1 / Float(size).squareRoot())
        multiply(
          m: n, n: size, k: n, scores, strideA: n, value + at, strideB: width, transposed: true,
          into: context + at, strideC: width, precision: productPrecision, scratch: scratch)
      }
    }
    return context
  }
}
