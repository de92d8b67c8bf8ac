internal import GlobalPointer
internal import Inference
internal import Triton

/// Finds the ways to one model's answers in a server's repository.
///
/// What fails for a while fails the discovery: a connection, an overload that outlasts the patience,
/// a cancellation. What speaks against one way is its option's verdict.
struct PlanDiscovery {
  let calls: DiscoveryCalls
  let model: String
  let shape: ModelShape
  let configuration: TritonEngine.Configuration

  typealias Option = ServingPlan.Option

  /// What all other models together may take to tell what they are: a server that has a
  /// configuration tells it in milliseconds.
  private static let questionTime = Duration.seconds(5)
  /// Models on trial at once.
  private static let trials = 8

  init(
    client: TritonClient, model: String, shape: ModelShape,
    configuration: TritonEngine.Configuration
  ) {
    calls = DiscoveryCalls(client, configuration)
    (self.model, self.shape, self.configuration) = (model, shape, configuration)
  }

  /// The plan for the model that the user named.
  func plan() async throws -> ServingPlan {
    let named = try await calls.contract(model, configuration.version, configuration.names)
    let options =
      named.isCompact
      ? try await compactOptions(named) : try await denseOptions(named, withCompanions: true)
    return try ServingPlan(options, wanted: configuration.route)
  }

  /// A dense model: itself, by shared memory or not, and the compact ones that answer for it.
  private func denseOptions(
    _ contract: ModelContract, withCompanions: Bool
  ) async throws -> [Option] {
    let probed = try await probed(contract)
    let own = [try await sharedOption(probed), plainOption(probed.contract)]
    guard withCompanions else { return own }
    let time = min(configuration.companionPatience, Self.questionTime)
    let found = try await PlanCompanions(calls: calls, model: model, patience: time).find()
    return own + found.options + (try await compact(found.compact, beside: probed.contract))
  }

  /// A dense model and its answer to a short sentence.
  struct Probed {
    var contract: ModelContract
    let batch: PaddedBatch
    let answer: DenseAnswer
  }

  /// The dense contract with its P, which must be the schema's, and an answer that fits it.
  private func probed(_ contract: ModelContract) async throws -> Probed {
    var contract = contract
    // A schema of another size is told before anything is asked of the model.
    try contract.require(predicates: shape.predicateCount)
    if contract.tokens != nil {
      try contract.requireRoom(for: shape, within: configuration.answerBytes)
    }
    let batch = PaddedBatch.probe(contract)
    let result = try await calls.infer(batch.request(contract))
    if contract.predicateCount == nil, case .dense(let tensors) = contract.answer {
      contract.predicateCount = try contract.predicates(in: result, tensors)
      try contract.require(predicates: shape.predicateCount)
    }
    contract.servedVersion = contract.servedVersion ?? result.modelVersion
    let answer = try DenseAnswer(result, contract, batch, predicates: shape.predicateCount)
    return Probed(contract: contract, batch: batch, answer: answer)
  }

  private func plainOption(_ contract: ModelContract) -> Option {
    let cost = contract.answerBytes(tokens: 128, predicates: shape.predicateCount)
    return Option(
      route: .dense, model: contract.model, contract: contract,
      verdict: "\(cost >> 10) KiB for a sentence of 128 tokens")
  }

  private func sharedOption(_ probed: Probed) async throws -> Option {
    var option = Option(
      route: .denseSharedMemory, model: probed.contract.model, contract: probed.contract,
      verdict: "the server writes to memory of this machine")
    do {
      try await calls.checkSharedMemory(probed, predicates: shape.predicateCount)
    } catch let error as TritonError where !error.concernsEverything {
      (option.contract, option.verdict) = (nil, "no shared memory: \(error)")
    }
    return option
  }

  /// A compact model was named: itself, and the dense one behind it.
  private func compactOptions(_ named: ModelContract) async throws -> [Option] {
    let served = try await calls.configuration(of: model, version: configuration.version)
    let route: ServingRoute = served.steps.isEmpty ? .compactNative : .compactEnsemble
    var refused: [Option] = []
    for name in served.steps + served.compactOf {
      let dense: ModelContract
      do {
        dense = try await calls.contract(name)
      } catch let error as TritonError where !error.concernsEverything && error.code != .deadline {
        // A step that decodes is no dense model either.
        refused.append(Option(route: .dense, model: name, contract: nil, verdict: "\(error)"))
        continue
      }
      guard !dense.isCompact else { continue }
      let options = try await denseOptions(dense, withCompanions: false)
      let probed = options.last?.contract ?? dense  // with what the probe has told
      let named = PlanCompanions.Named(contract: named, route: route)
      return options + (try await compact([named], beside: probed))
    }
    let verdict = "\(size(named)); no dense model behind it: an answer that is cut is an error"
    return refused + [Option(route: route, model: model, contract: named, verdict: verdict)]
  }

  /// Compact models, each held against the dense one, all beside each other.
  private func compact(
    _ named: [PlanCompanions.Named], beside dense: ModelContract
  ) async throws -> [Option] {
    if named.isEmpty { return [] }
    do {
      let trials = try await trials(dense)
      return try await concurrently(named, atMost: Self.trials) {
        try await compact($0, beside: dense, trials)
      }
    } catch let error as TritonError where !error.concernsEverything {
      return named.map {
        Option(
          route: $0.route, model: $0.contract.model, contract: nil,
          verdict: "\(dense.model) has no answer to hold it against: \(error)")
      }
    }
  }

  private func trials(_ dense: ModelContract) async throws -> [PlanTrial] {
    var trials: [PlanTrial] = []
    for sentence in PlanTrial.sentences(shape, of: dense) {
      let padded = PaddedBatch(sentence, rows: [0], length: dense.tokens)
      let logits = try DenseAnswer(
        try await calls.infer(padded.request(dense)), dense, padded,
        predicates: shape.predicateCount)
      trials.append(PlanTrial(sentence, logits, predicates: shape.predicateCount))
    }
    return trials
  }

  private func compact(
    _ named: PlanCompanions.Named, beside dense: ModelContract, _ trials: [PlanTrial]
  ) async throws -> Option {
    var contract = named.contract
    (contract.predicateCount, contract.instances) = (shape.predicateCount, dense.instances)
    var option = Option(
      route: named.route, model: contract.model, contract: nil,
      verdict: "\(size(contract)); agrees with \(dense.model) on trial sentences")
    do {
      for trial in trials {
        let padded = PaddedBatch(trial.batch, rows: [0], length: contract.tokens)
        let result = try await calls.infer(
          padded.request(contract), within: configuration.companionPatience)
        contract.servedVersion = contract.servedVersion ?? result.modelVersion
        let answer = try CompactAnswer(result, contract, padded, predicates: shape.predicateCount)
        guard let difference = try trial.difference(answer) else { continue }
        option.verdict = "it is of another export than \(dense.model): \(difference)"
        return option
      }
      option.contract = contract
    } catch let error as TritonError where !error.concernsEverything {
      option.verdict = "it could not be held against \(dense.model): \(error)"
    }
    return option
  }

  private func size(_ contract: ModelContract) -> String {
    guard case .compact(let all) = contract.answer else { return "" }
    let limits = [("K", all.spanLimit), ("T", all.tripleLimit)].map { name, limit in
      "\(name) = \(limit.map { "\($0)" } ?? "free")"
    }
    let bytes = contract.answerBytes(tokens: 128, predicates: shape.predicateCount)
    return "\(bytes) bytes a sentence, \(limits.joined(separator: ", "))"
  }
}
