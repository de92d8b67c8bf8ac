internal import Triton

/// What a discovery asks of a server, with the patience for overload that an engine has.
struct DiscoveryCalls: Sendable {
  let client: TritonClient
  private let options: CallOptions
  private let overloadPatience: Duration

  init(_ client: TritonClient, _ configuration: TritonEngine.Configuration) {
    (self.client, options) = (client, configuration.call)
    overloadPatience = configuration.overloadPatience
  }

  func contract(
    _ model: String, _ version: String = "", _ names: TensorNames? = nil,
    within time: Duration? = nil
  ) async throws -> ModelContract {
    try await client.contract(of: model, version: version, names: names, options: changed(time))
  }

  func configuration(
    of model: String, version: String = "", within time: Duration? = nil
  ) async throws -> ServedModelConfiguration {
    try await client.modelConfiguration(model, version: version, options: changed(time))
  }

  func repositoryIndex(within time: Duration) async throws -> [RepositoryEntry] {
    try await client.repositoryIndex(options: changed(time))
  }

  /// An inference that is sent again as long as the server is overloaded.
  func infer(_ request: InferRequest, within time: Duration? = nil) async throws -> InferResult {
    var patience = Patience(overloadPatience)
    while true {
      do {
        return try await client.infer(request, options: changed(time))
      } catch let error as TritonError where error.code == .overload {
        guard let pause = patience.next() else { throw error }
        try await Task.sleep(for: pause)
      }
    }
  }

  private func changed(_ time: Duration?) -> CallOptions {
    var options = options
    if let time {
      let usual = options.timeout ?? client.configuration.timeout
      options.timeout = max(.milliseconds(1), min(time, usual))
    }
    return options
  }

  /// Has the server write an answer to memory of this process, and looks whether it did.
  ///
  /// A server of another machine may take a registration for good, and so may one that lies: only
  /// what it has written proves that both see the same objects.
  /// - Throws: `TritonError` saying why memory cannot be shared.
  func checkSharedMemory(_ probed: PlanDiscovery.Probed, predicates: Int) async throws {
    guard client.serverCount == 1 else {
      throw TritonError(
        code: .unsupported, message: "there are \(client.serverCount) servers, each would need it")
    }
    RegionOrphans.sweep()
    let sizes = probed.contract.outputs.map {
      probed.contract.outputBytes($0, probed.batch, predicates: predicates)
    }
    let region = try SystemRegion(
      byteCount: sizes.reduce(0, saturatingSum), name: RegionName.probe)
    // No logit is a NaN of such bits.
    region.lease(region.byteCount)?.withBytes { bytes in
      for place in bytes.indices { bytes[place] = 0xFF }
    }
    try await region.withRegistration(at: client) {
      let request = probed.batch.request(
        probed.contract, region.outputs(probed.contract, sizes))
      let written = try DenseAnswer(
        try await infer(request), probed.contract, probed.batch, predicates: predicates,
        shared: region.views(probed.contract, sizes, keeping: region))
      guard
        written.agrees(
          with: probed.answer, tokens: min(PaddedBatch.probeLength, probed.batch.length))
      else {
        throw TritonError(
          code: .sharedMemory, message: "the server registers memory that it does not write to",
          remedy: "the server may run on another machine or in another container")
      }
      _ = try await client.unregisterOrphans()
    }
  }
}

extension TritonError {
  /// Whether it says nothing of one model or one way: it may be over a moment later.
  var concernsEverything: Bool { [.connection, .overload, .cancelled].contains(code) }
}

/// What `body` makes of each item, in order; so many at once, and the first error ends all.
func concurrently<Item: Sendable, Result: Sendable>(
  _ items: [Item], atMost limit: Int, _ body: @escaping @Sendable (Item) async throws -> Result
) async throws -> [Result] {
  try await withThrowingTaskGroup(of: (Int, Result).self) { group in
    var results = [Result?](repeating: nil, count: items.count)
    for (place, item) in items.enumerated() {
      if place >= limit, let (done, result) = try await group.next() { results[done] = result }
      group.addTask { (place, try await body(item)) }
    }
    for try await (place, result) in group { results[place] = result }
    return results.compactMap(\.self)
  }
}
