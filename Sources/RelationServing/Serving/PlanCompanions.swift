internal import Triton

/// The compact models of a server's repository that say they answer for a dense one.
///
/// All are asked beside each other, within one time for all: a model whose configuration hangs
/// holds nobody up, and is named.
struct PlanCompanions {
  let calls: DiscoveryCalls
  /// The dense model.
  let model: String
  /// For all questions together.
  let patience: Duration

  /// Questions in flight.
  private static let width = 16

  /// A compact model and the way to it.
  struct Named: Sendable {
    let contract: ModelContract
    let route: ServingRoute
  }

  /// What was found: compact models, and what is wrong with others that may be some.
  struct Found {
    var compact: [Named] = []
    var options: [ServingPlan.Option] = []
  }

  private enum Look: Sendable {
    case unrelated
    case compact(Named)
    case refused(ServingPlan.Option)
  }

  /// - Throws: `TritonError` for what concerns the whole server; `CancellationError`.
  func find() async throws -> Found {
    let deadline = ContinuousClock.now + patience
    var found = Found()
    let (listed, isGuess) = try await listed(&found)
    for entry in listed where entry.state != "READY" {
      // Its configuration cannot be asked for: its name has to do.
      if entry.name.contains("compact") || entry.name.hasPrefix(model) {
        found.options.append(ServingPlan.Option(notReady: entry))
      }
    }
    let ready = listed.filter { $0.state == "READY" }.map(\.name)
    for look in try await concurrently(
      ready, atMost: Self.width, { try await look(at: $0, isGuess: isGuess, until: deadline) })
    {
      switch look {
      case .unrelated: break
      case .compact(let named): found.compact.append(named)
      case .refused(let option): found.options.append(option)
      }
    }
    return found
  }

  /// What the repository lists beside the model; where it may not be listed, the name that an
  /// ensemble would have.
  private func listed(_ found: inout Found) async throws -> ([RepositoryEntry], isGuess: Bool) {
    do {
      var seen: Set<String> = [model]
      // Of several versions one that is ready counts.
      func order(_ entry: RepositoryEntry) -> (String, Int) {
        (entry.name, entry.state == "READY" ? 0 : 1)
      }
      let index = try await calls.repositoryIndex(within: patience)
        .sorted { order($0) < order($1) }.filter { seen.insert($0.name).inserted }
      return (index, false)
    } catch let error as TritonError where !error.concernsEverything {
      found.options.append(
        ServingPlan.Option(
          route: .compactEnsemble, model: "(others)", contract: nil,
          verdict: "the server does not list its models: \(error)"))
      let guess = model + "_compact"
      return ([RepositoryEntry(name: guess, version: "", state: "READY", reason: "")], true)
    }
  }

  /// What a model that is ready has to do with the dense one.
  private func look(
    at name: String, isGuess: Bool, until deadline: ContinuousClock.Instant
  ) async throws -> Look {
    var route = ServingRoute.compactEnsemble
    do {
      let served = try await calls.configuration(of: name, within: try left(until: deadline))
      let isEnsemble = served.steps.contains(model)
      guard isEnsemble || served.compactOf.contains(model) else { return .unrelated }
      route = isEnsemble ? .compactEnsemble : .compactNative
      let contract = try await calls.contract(name, within: try left(until: deadline))
      return contract.isCompact ? .compact(Named(contract: contract, route: route)) : .unrelated
    } catch let error as TritonError where !error.concernsEverything {
      if isGuess, [.unknownModel, .notReady].contains(error.code) { return .unrelated }
      let verdict =
        error.code == .deadline
        ? "it did not tell what it is within \(patience): \(error)" : "\(error)"
      return .refused(
        ServingPlan.Option(route: route, model: name, contract: nil, verdict: verdict))
    }
  }

  private func left(until deadline: ContinuousClock.Instant) throws -> Duration {
    let left = deadline - .now
    guard left > .zero else {
      throw TritonError(code: .deadline, message: "other models took all the time")
    }
    return left
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
