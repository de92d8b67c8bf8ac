import GRPCChannel
import GlobalPointer
import Inference
import TestSupport
import Testing

@testable import RelationServing
@testable import Triton

/// Answers decoded over their slices against the decoder on flat arrays.
@Suite struct DenseAnswerTests {
  /// A batch's logits as Float, which the wire may hold in another type.
  private struct Logits {
    var entity: [Float]
    var heads: [Float]
    var tails: [Float]
  }

  private struct Shape {
    var rows: Int
    var length: Int
    var predicates: Int
  }

  private func contract(_ datatype: Datatype, batch: Int = 8) -> ModelContract {
    let names = TensorNames.semantic()
    func tensor(_ name: String, _ type: Datatype, _ shape: [Int]) -> ModelMetadata.Tensor {
      ModelMetadata.Tensor(name: name, datatype: type.rawValue, shape: [-1] + shape)
    }
    let metadata = ModelMetadata(
      name: "m", versions: [], platform: "",
      inputs: names.inputs.map { tensor($0, .int64, [-1]) },
      outputs: names.outputs.map { tensor($0, datatype, [-1, -1, -1]) })
    let served = try! ServedModelConfiguration(
      ProtobufMessage(["max_batch_size": .signed(Int64(batch))]))
    return try! ModelContract(metadata, served)  // the shapes above fit
  }

  /// The wire's bytes of values, and what the values are then.
  private func wire(_ values: [Float], _ datatype: Datatype) -> (bytes: [UInt8], read: [Float]) {
    func bytes<Element: TensorElement>(_ elements: [Element]) -> [UInt8] {
      SharedBytes(elements).withBytes { Array($0) }
    }
    switch datatype {
    case .fp16:
      let halves = values.map { Float16($0) }
      return (bytes(halves), halves.map { Float($0) })
    case .bf16:
      let brains = values.map { BFloat16($0) }
      return (bytes(brains), brains.map(\.float))
    default: return (bytes(values), values)
    }
  }

  private func output(
    _ name: String, _ datatype: Datatype, _ shape: [Int], shared: Bool = false
  ) -> ProtobufValue {
    .message(
      ProtobufMessage([
        "name": .string(name), "datatype": .string(datatype.rawValue),
        "shape": .list(shape.map { .signed(Int64($0)) }),
        "parameters": .map(
          shared
            ? ["shared_memory_region": .message(ProtobufMessage(["string_param": .string("r")]))]
            : [:]),
      ]))
  }

  /// An answer in random slices, and the logits that it holds.
  private func answer(
    _ random: inout SeededRandom, _ shape: Shape, _ datatype: Datatype, spoiled: Bool
  ) throws -> (InferResult, Logits) {
    let cells = shape.length * shape.length
    func logits(_ heads: Int) -> (bytes: [UInt8], read: [Float]) {
      let odd: [Float] = [.nan, .infinity, -.infinity]
      return wire(
        (0..<shape.rows * heads * cells).map { _ in
          if spoiled, random.below(60) == 0 { return odd[random.below(3)] }
          return Float(random.below(17)) / 4 - 1.5
        }, datatype)
    }
    let (entity, heads, tails) = (
      logits(2), logits(shape.predicates), logits(shape.predicates)
    )
    let size = [shape.length, shape.length]
    let bytes = ProtobufMessage([
      "model_name": .string("m"),
      "outputs": .list([
        output("entity", datatype, [shape.rows, 2] + size),
        output("so_head", datatype, [shape.rows, shape.predicates] + size),
        output("so_tail", datatype, [shape.rows, shape.predicates] + size),
      ]),
      "raw_output_contents": .list([entity, heads, tails].map { .bytes($0.bytes) }),
    ]).packed(as: RPC.modelInfer.response)
    let result = try ResponseWalker.infer(ReceivedMessage(pieces: random.slices(bytes)))
    return (result, Logits(entity: entity.read, heads: heads.read, tails: tails.read))
  }

  private func batch(_ random: inout SeededRandom, _ shape: Shape) -> PaddedBatch {
    let rows = (0..<shape.rows).map { _ in (0..<shape.length).map { _ in Int32(random.below(90)) } }
    return PaddedBatch(InferenceBatch(rows), rows: 0..<shape.rows, length: nil)
  }

  private func naive(
    _ logits: Logits, _ shape: Shape, row: Int, tokens: Int, _ threshold: Float
  ) throws -> SentenceCandidates {
    let (length, heads) = (shape.length, shape.predicates)
    let layout = LogitLayout.dense(heads: heads, length: length, sentence: row)
    return try decodeDense(
      entity: logits.entity.span, .dense(heads: 2, length: length, sentence: row),
      head: logits.heads.span, layout, tail: logits.tails.span, layout,
      predicates: heads, realTokens: tokens, threshold: threshold)
  }

  @Test(arguments: [Datatype.fp32, .fp16, .bf16])
  func `Gathered cells decode as the dense tensors do`(_ datatype: Datatype) throws {
    var random = SeededRandom(UInt64(datatype.rawValue.count))
    var (triples, faults) = (0, 0)
    for round in 0..<150 {
      let shape = Shape(
        rows: 1 + random.below(3), length: 2 + random.below(9), predicates: 1 + random.below(4))
      let (result, logits) = try answer(&random, shape, datatype, spoiled: round % 3 == 0)
      let dense = try DenseAnswer(
        result, contract(datatype), batch(&random, shape), predicates: shape.predicates)
      for row in 0..<shape.rows {
        let tokens = 2 + random.below(shape.length - 1)
        do {
          let expected = try naive(logits, shape, row: row, tokens: tokens, 0.6)
          let ours = try dense.decode(row, tokens, 0.6, reportedAs: 40 + row)
          #expect(ours == expected, "round \(round), row \(row)")
          triples += ours.triples.count
        } catch let fault as DecodeError {
          let error = #expect(throws: InferenceError.self) {
            try dense.decode(row, tokens, 0.6, reportedAs: 40 + row)
          }
          #expect(error?.row == 40 + row)
          #expect(error?.code == .badLogits)
          // In words: a NaN is not equal to itself.
          let cause = (error?.cause as? DecodeError).map { "\($0)" }
          #expect(cause == "\(fault)", "round \(round)")
          faults += 1
        }
      }
    }
    #expect(triples > 500 && faults > 20)
  }

  @Test func `The four logits of a query are those of its cells`() throws {
    var random = SeededRandom(6)
    let shape = Shape(rows: 1, length: 7, predicates: 3)
    for _ in 0..<50 {
      let (result, logits) = try answer(&random, shape, .fp32, spoiled: false)
      let dense = try DenseAnswer(
        result, contract(.fp32), batch(&random, shape), predicates: 3)
      let at = (0..<4).map { _ in random.below(7) }
      let p = random.below(3)
      let query = TripleQuery(
        predicate: p, subject: TokenSpan(start: at[0], end: at[1]),
        object: TokenSpan(start: at[2], end: at[3]))
      let parts = dense.scores(of: query)
      #expect(parts.subject == logits.entity[at[0] * 7 + at[1]])
      #expect(parts.object == logits.entity[49 + at[2] * 7 + at[3]])
      #expect(parts.head == logits.heads[p * 49 + at[0] * 7 + at[2]])
      #expect(parts.tail == logits.tails[p * 49 + at[1] * 7 + at[3]])
    }
  }

  @Test func `Answers of another size, type or name are refused with both`() throws {
    var random = SeededRandom(9)
    let shape = Shape(rows: 2, length: 5, predicates: 3)
    let (result, _) = try answer(&random, shape, .fp32, spoiled: false)
    let fits = batch(&random, shape)
    #expect(throws: Never.self) {
      try DenseAnswer(result, contract(.fp32), fits, predicates: 3)
    }
    let other = batch(&random, Shape(rows: 1, length: 5, predicates: 3))
    let cases: [(ModelContract, PaddedBatch, Int)] = [
      (contract(.fp32), fits, 4), (contract(.fp16), fits, 3), (contract(.fp32), other, 3),
    ]
    for (contract, batch, predicates) in cases {
      let error = #expect(throws: TritonError.self) {
        try DenseAnswer(result, contract, batch, predicates: predicates)
      }
      #expect(error?.code == .contract)
    }
    var renamed = result
    renamed.outputs[0].name = "other"
    #expect(throws: TritonError.self) {
      try DenseAnswer(renamed, contract(.fp32), fits, predicates: 3)
    }
  }

  @Test func `An answer whose bytes lie in shared memory is refused and not read`() throws {
    let names = ["entity": 2, "so_head": 1, "so_tail": 1]
    let bytes = ProtobufMessage([
      "outputs": .list(
        names.map { output($0.key, .fp32, [1, $0.value, 4, 4], shared: true) }),
      "raw_output_contents": .list([.bytes([]), .bytes([]), .bytes([])]),
    ]).packed(as: RPC.modelInfer.response)
    let result = try ResponseWalker.infer(ReceivedMessage(pieces: [bytes]))
    let batch = PaddedBatch(InferenceBatch([[1, 2, 3, 4]]), rows: 0..<1, length: nil)
    let error = #expect(throws: TritonError.self) {
      try DenseAnswer(result, contract(.fp32), batch, predicates: 1)
    }
    #expect(error?.message.contains("0 bytes") == true)
  }
}
