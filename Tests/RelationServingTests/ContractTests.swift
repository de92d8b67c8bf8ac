import Inference
import Testing

@testable import RelationServing
@testable import Triton

@Suite struct ContractTests {
  private typealias Tensor = ModelMetadata.Tensor

  /// A model of P = 7 predicates with the tensors of a naming.
  private func metadata(
    _ names: TensorNames, ids: String = "INT64", logits: String = "FP32", tokens: Int = -1
  ) -> ModelMetadata {
    let inputs = [(names.sampleID, 1), (names.tokenIDs, tokens), (names.tokenTypes, tokens)]
      .compactMap { name, size in name.map { Tensor(name: $0, datatype: ids, shape: [-1, size]) } }
    let mask = Tensor(name: names.mask, datatype: ids, shape: [-1, tokens])
    let outputs: [Tensor] =
      switch names.answer {
      case .dense(let entity, let soHead, let soTail):
        [(entity, 2), (soHead, 7), (soTail, 7)].map { name, heads in
          Tensor(name: name, datatype: logits, shape: [-1, heads, tokens, tokens])
        }
      case .compact(let triples, let scores, let spans, let spanScores, let notFinite):
        [
          Tensor(name: triples, datatype: "INT32", shape: [-1, 6, 5]),
          Tensor(name: scores, datatype: "FP32", shape: [-1, 6, 4]),
          Tensor(name: spans, datatype: "INT32", shape: [-1, 2, 3, 2]),
          Tensor(name: spanScores, datatype: "FP32", shape: [-1, 2, 3]),
          Tensor(name: notFinite, datatype: "INT32", shape: [-1, 1]),
        ]
      }
    return ModelMetadata(
      name: "m", versions: ["1"], platform: "p", inputs: inputs + [mask], outputs: outputs)
  }

  private func configuration(
    _ fields: [String: ProtobufValue] = ["max_batch_size": .signed(4)]
  ) -> ServedModelConfiguration {
    try! ServedModelConfiguration(ProtobufMessage(fields))  // the fields are possible
  }

  private func fault(
    _ metadata: ModelMetadata, _ configuration: ServedModelConfiguration? = nil,
    names: TensorNames? = nil
  ) -> String {
    do {
      let contract = try ModelContract(
        metadata, configuration ?? self.configuration(), names: names)
      return "no fault: \(contract)"
    } catch {
      let error = error as? TritonError
      return error?.code == .contract ? error?.message ?? "" : "\(error?.code as Any)"
    }
  }

  @Test func `Each known naming is found`() throws {
    for names in TensorNames.known {
      let contract = try ModelContract(metadata(names), configuration())
      #expect(contract.tokenIDs.name == names.tokenIDs)
      #expect(contract.tokenTypes?.name == names.tokenTypes)
      #expect(contract.sampleID?.name == names.sampleID)
      #expect(contract.mask.name == names.mask)
      #expect(contract.outputs.map(\.name) == names.outputs)
      #expect(contract.predicateCount == (contract.isCompact ? nil : 7))
      #expect(contract.tokens == nil)
      #expect(contract.maxBatchSize == 4)
      #expect(contract.batches)
    }
    #expect(Set(TensorNames.known).count == 8)
  }

  @Test func `A compact contract tells K, T and the bytes of a sentence, whatever its length`()
    throws
  {
    let contract = try ModelContract(metadata(.semantic(.compact)), configuration())
    guard case .compact(let tensors) = contract.answer else {
      Issue.record("\(contract.answer)")
      return
    }
    #expect(tensors.spanLimit == 3 && tensors.tripleLimit == 6)
    let bytes = 6 * 5 * 4 + 6 * 4 * 4 + 2 * 3 * 2 * 4 + 2 * 3 * 4 + 4
    #expect(contract.answerBytes(tokens: 9, predicates: 7) == bytes)
    #expect(contract.answerBytes(tokens: 500, predicates: 500) == bytes)
    #expect(contract.denseBytes(tokens: 10, predicates: 7) == 16 * 100 * 4)
    var other = metadata(.semantic(.compact))
    other.outputs[0].datatype = "INT64"
    #expect(fault(other).contains("triples is INT64, expected INT32"))
  }

  @Test func `A mapping names any tensors, and may leave types and sample out`() throws {
    let text = "ids=a,mask=b,entity=c,so_head=d,so_tail=e"
    let names = try TensorNames(parsing: text)
    let contract = try ModelContract(metadata(names), configuration(), names: names)
    #expect(contract.tokenIDs.name == "a" && contract.tokenTypes == nil)
    let full = try TensorNames(parsing: text + ",types=t,sample=s")
    #expect(full.tokenTypes == "t" && full.sampleID == "s")
    let compact = "ids=a,mask=b,triples=c,scores=d,spans=e,span_scores=f,not_finite=g"
    #expect(
      try TensorNames(parsing: compact).answer
        == .compact(triples: "c", scores: "d", spans: "e", spanScores: "f", notFinite: "g"))
    for wrong in [
      "", "ids=a", "ids", text + ",more=x", "ids=a;mask=b", text + ",ids", text + ",spans=x",
    ] {
      let error = #expect(throws: TritonError.self) { try TensorNames(parsing: wrong) }
      #expect(error?.code == .invalidRequest)
    }
  }

  @Test func `Types, fixed sizes and instances are taken from the server`() throws {
    let groups: [ProtobufValue] = [
      .message(ProtobufMessage(["count": .signed(2)])),
      .message(
        ProtobufMessage(["count": .signed(1), "gpus": .list([.signed(0), .signed(1)])])),
    ]
    let served = configuration(["instance_group": .list(groups)])
    let contract = try ModelContract(
      metadata(.semantic(), ids: "INT32", logits: "FP16", tokens: 128), served)
    #expect(contract.tokenIDs.datatype == .int32)
    #expect(contract.outputs[1].datatype == .fp16)
    #expect(contract.tokens == 128)
    #expect(contract.instances == 4)
    #expect(!contract.batches)
    #expect(contract.maxBatchSize == 1)
  }

  @Test func `Bytes and rows of an answer follow from the contract`() throws {
    let contract = try ModelContract(metadata(.semantic()), configuration())
    #expect(contract.answerBytes(tokens: 10, predicates: 7) == (2 + 7 + 7) * 100 * 4)
    #expect(contract.rows(tokens: 10, predicates: 7, within: 6_400 * 3 + 1) == 3)
    #expect(contract.rows(tokens: 10, predicates: 7, within: 1 << 40) == 4)
    #expect(contract.rows(tokens: 10, predicates: 7, within: 1) == 0)
    #expect(throws: Never.self) { try contract.require(predicates: 7) }
    #expect(throws: TritonError.self) { try contract.require(predicates: 8) }
  }

  @Test func `Rows are cut by batch size and by bytes, in order, none left out`() throws {
    let contract = try ModelContract(metadata(.semantic()), configuration())
    for _ in 0..<300 {
      let lengths = (0..<Int.random(in: 0...20)).map { _ in Int.random(in: 2...30) }
      var batch = InferenceBatch(lengths.map { Array(repeating: 1, count: $0) })
      if Bool.random() { batch.paddedLength = 30 }
      let bytes = Int.random(in: 1...200_000)
      let rows = Array(lengths.indices).filter { _ in Bool.random() }
      let parts = contract.parts(batch, rows, predicates: 7, within: bytes)
      #expect(parts.flatMap { Array($0) } == rows)
      for part in parts {
        let longest = max(part.map { lengths[$0] }.max() ?? 0, batch.paddedLength ?? 0)
        #expect(!part.isEmpty && part.count <= 4)
        #expect(part.count == 1 || part.count * 16 * longest * longest * 4 <= bytes)
      }
    }
  }

  @Test func `A model that fits no naming is described`() {
    var other = metadata(.semantic())
    other.inputs[0].name = "pixels"
    let text = fault(other)
    #expect(text.contains("pixels") && text.contains("input_ids") && !text.contains("INPUT__1"))
    other.inputs = []
    other.outputs = []
    #expect(fault(other).contains("input_ids") && fault(other).contains("INPUT__1"))
    var more = metadata(.semantic())
    more.inputs.append(Tensor(name: "extra", datatype: "INT64", shape: [-1, 1]))
    #expect(fault(more).contains("extra"))
    var less = metadata(.semantic())
    less.outputs.removeLast()
    #expect(fault(less).contains("so_tail"))
  }

  @Test func `Tensors of a wrong type, rank or size are refused by name`() {
    func changed(_ change: (inout ModelMetadata) -> Void) -> String {
      var model = metadata(.semantic())
      change(&model)
      return fault(model)
    }
    #expect(changed { $0.inputs[0].datatype = "FP32" }.contains("input_ids is FP32"))
    #expect(changed { $0.inputs[0].datatype = "FP8" }.contains("input_ids is FP8"))
    #expect(changed { $0.outputs[1].datatype = "INT64" }.contains("so_head is INT64"))
    #expect(changed { $0.outputs[0].shape = [-1, 2, -1] }.contains("entity has shape"))
    #expect(changed { $0.outputs[0].shape = [] }.contains("entity has shape"))
    #expect(changed { $0.outputs[0].shape[1] = 3 }.contains("3 heads"))
    #expect(changed { $0.outputs[1].shape[1] = 8 }.contains("[7, 8] predicates"))
    #expect(
      changed {
        $0.outputs[2].shape[3] = 64; $0.inputs[0].shape[1] = 32
      }.contains("tokens"))
  }

  @Test func `A decoupled model is refused`() {
    let decoupled = ProtobufMessage(["decoupled": .bool(true)])
    let served = configuration(["model_transaction_policy": .message(decoupled)])
    #expect(fault(metadata(.semantic()), served).contains("decoupled"))
  }

  @Test func `A configuration is read by its fields`() {
    let queue = ProtobufMessage(["max_queue_size": .unsigned(9)])
    let batching = ProtobufMessage([
      "max_queue_delay_microseconds": .unsigned(500), "default_queue_policy": .message(queue),
    ])
    let served = configuration([
      "dynamic_batching": .message(batching), "backend": .string("onnxruntime"),
      "sequence_batching": .message(.init()),
      "ensemble_scheduling": .message(
        ProtobufMessage([
          "step": .list([.message(ProtobufMessage(["model_name": .string("first")]))])
        ])),
    ])
    #expect(served.hasDynamicBatching && served.isSequence && !served.isDecoupled)
    #expect(served.maxQueueDelayMicroseconds == 500 && served.maxQueueSize == 9)
    #expect(served.steps == ["first"] && served.backend == "onnxruntime")
    #expect(served.instances == 0)
  }

  @Test func `Bug: a model without batching, whose sample id has one dimension, was refused`()
    throws
  {
    let unbatched = configuration(["max_batch_size": .signed(0)])
    for shape in [[-1], [-1, 1], [-1, -1], [1]] {
      var model = metadata(.numbered("_"))
      model.inputs[0].shape = shape
      let contract = try ModelContract(model, unbatched)
      let batch = PaddedBatch(InferenceBatch([[1, 2, 3]]), rows: [0], length: nil)
      #expect(batch.request(contract).inputs[0].shape == (shape.count == 1 ? [1] : [1, 1]))
    }
    var model = metadata(.numbered("_"))
    for shape in [[], [-1, 2], [8], [-1, -1, -1]] {
      model.inputs[0].shape = shape
      #expect(fault(model, unbatched).contains("INPUT_0 has"), "\(shape)")
    }
  }

  @Test func `The latest version that is served is the one that must answer`() throws {
    var model = metadata(.semantic())
    model.versions = ["9", "10", "2"]
    let contract = try ModelContract(model, configuration())
    #expect(contract.servedVersion == "10")
    #expect(throws: Never.self) { try contract.require(version: "10") }
    let error = #expect(throws: TritonError.self) { try contract.require(version: "9") }
    #expect(error?.code == .contract)
    #expect(try ModelContract(model, configuration(), version: "9").servedVersion == "9")
    #expect(throws: TritonError.self) {
      try ModelContract(model, self.configuration(), version: "3")
    }
    model.versions = []
    #expect(try ModelContract(model, configuration()).servedVersion == nil)
  }
}
