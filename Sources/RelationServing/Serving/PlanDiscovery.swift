internal import GlobalPointer
internal import Inference
internal import Triton

/// Finds the ways to one model's answers in a server's repository.
struct PlanDiscovery {
  let client: TritonClient
  let model: String
  let shape: ModelShape
  let configuration: TritonEngine.Configuration

  private typealias Option = ServingPlan.Option
  private var options: CallOptions { configuration.call }

  /// The plan for the model that the user named.
  func plan() async throws -> ServingPlan {
    let named = try await contract(model, configuration.version, configuration.names)
    var options: [Option]
    if named.isCompact {
      options = try await compactOptions(named)
    } else {
      let dense = try await counted(named)
      options = try await denseOptions(dense)
      options += await companions(of: dense)
    }
    return try ServingPlan(options, wanted: configuration.route)
  }

  private func contract(
    _ model: String, _ version: String = "", _ names: TensorNames? = nil
  ) async throws -> ModelContract {
    try await client.contract(of: model, version: version, names: names, options: options)
  }

  /// The dense contract with its P, which must be the schema's.
  private func counted(_ contract: ModelContract) async throws -> ModelContract {
    var contract = contract
    if contract.predicates == nil {
      contract.predicates = try await client.countPredicates(contract, options: options)
    }
    try contract.require(predicates: shape.predicates)
    return contract
  }

  private func denseOptions(_ contract: ModelContract) async throws -> [Option] {
    var shared = Option(
      route: .denseSharedMemory, model: contract.model, contract: contract,
      verdict: "the server maps memory of this machine")
    do {
      try await checkSharedMemory()
    } catch let error as TritonError {
      (shared.contract, shared.verdict) = (nil, "no shared memory: \(error)")
    }
    let cost = contract.answerBytes(tokens: 128, predicates: shape.predicates)
    let plain = Option(
      route: .dense, model: contract.model, contract: contract,
      verdict: "\(cost >> 10) KiB for a sentence of 128 tokens")
    return [shared, plain]
  }

  private func checkSharedMemory() async throws {
    guard client.serverCount == 1 else {
      throw TritonError(
        code: .unsupported, message: "there are \(client.serverCount) servers, each would need it")
    }
    let region = try SystemRegion(byteCount: 4_096, name: "spo-probe")
    try await region.withRegistration(at: client) {
      _ = try await client.unregisterOrphans(RegionPool.prefix)
    }
  }

  /// A compact model was named: itself, and the dense one behind it.
  private func compactOptions(_ named: ModelContract) async throws -> [Option] {
    let served = try await client.modelConfiguration(
      model, version: configuration.version, options: options)
    let route: ServingRoute = served.steps.isEmpty ? .compactNative : .compactEnsemble
    let behind = served.steps + served.compactOf
    for name in behind {
      guard let dense = try? await contract(name), !dense.isCompact else { continue }
      let counted = try await counted(dense)
      return try await denseOptions(counted) + [compact(named, route, beside: counted)]
    }
    let verdict = "\(size(named)); no dense model behind it: an answer that is cut is an error"
    return [Option(route: route, model: model, contract: named, verdict: verdict)]
  }

  /// The compact models that answer for a dense one.
  private func companions(of dense: ModelContract) async -> [Option] {
    var options: [Option] = []
    for entry in await candidates() {
      guard entry.state == "READY" else {
        // Its configuration cannot be asked for: its name has to do.
        if entry.name.contains("compact") || entry.name.hasPrefix(model) {
          options.append(Option(notReady: entry))
        }
        continue
      }
      if let option = await companion(entry.name, of: dense) { options.append(option) }
    }
    return options
  }

  /// What the repository lists; where it may not be listed, the name that an ensemble would have.
  private func candidates() async -> [RepositoryEntry] {
    let guess = RepositoryEntry(name: model + "_compact", version: "", state: "READY", reason: "")
    let index = (try? await client.repositoryIndex(options: options)) ?? [guess]
    var seen: Set<String> = [model]
    return index.filter { seen.insert($0.name).inserted }.sorted { $0.name < $1.name }
  }

  /// A model as a companion; nil when it has nothing to do with the dense one.
  private func companion(_ name: String, of dense: ModelContract) async -> Option? {
    guard let served = try? await client.modelConfiguration(name, options: options) else {
      return nil
    }
    let isEnsemble = served.steps.contains(model)
    guard isEnsemble || served.compactOf.contains(model) else { return nil }
    let route: ServingRoute = isEnsemble ? .compactEnsemble : .compactNative
    do {
      let found = try await contract(name)
      guard found.isCompact else { return nil }
      return try await compact(found, route, beside: dense)
    } catch {
      return Option(route: route, model: name, contract: nil, verdict: "\(error)")
    }
  }

  /// A compact model that was held against the dense one on a sentence.
  private func compact(
    _ contract: ModelContract, _ route: ServingRoute, beside dense: ModelContract
  ) async throws -> Option {
    var contract = contract
    (contract.predicates, contract.instances) = (shape.predicates, dense.instances)
    let trial = PlanTrial(client: client, shape: shape, options: options)
    if let difference = try await trial.difference(contract, dense) {
      return Option(
        route: route, model: contract.model, contract: nil,
        verdict: "it is of another export than \(dense.model): \(difference)")
    }
    return Option(
      route: route, model: contract.model, contract: contract,
      verdict: "\(size(contract)); agrees with \(dense.model) on a trial sentence")
  }

  private func size(_ contract: ModelContract) -> String {
    guard case .compact(let all) = contract.answer else { return "" }
    let limits = [("K", all.spanLimit), ("T", all.tripleLimit)].map { name, limit in
      "\(name) = \(limit.map { "\($0)" } ?? "free")"
    }
    let bytes = contract.answerBytes(tokens: 128, predicates: shape.predicates)
    return "\(bytes) bytes a sentence, \(limits.joined(separator: ", "))"
  }
}

extension ServingPlan.Option {
  fileprivate init(notReady entry: RepositoryEntry) {
    // Of an ensemble that does not fit its steps Triton tells nothing but in its log.
    let verdict =
      entry.state.isEmpty
      ? "not loaded; the server's log says why" : "\(entry.state): \(entry.reason)"
    self.init(route: .compactEnsemble, model: entry.name, contract: nil, verdict: verdict)
  }
}

extension ServedModelConfiguration {
  /// The dense models that a compact export says it answers for.
  var compactOf: [String] {
    parameters["compact_of"]?.split { " ,".contains($0) }.map(String.init) ?? []
  }
}
