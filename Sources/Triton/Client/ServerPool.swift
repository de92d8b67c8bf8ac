internal import GRPCChannel
internal import Logging
internal import Synchronization

/// The servers of a client's target, each with its connections, and which of them are away.
///
/// A list of addresses is a channel each: only so a call can be kept from a server that failed it.
/// A name with several addresses is one server here, and gRPC's core goes round its addresses.
final class ServerPool: Sendable {
  /// One server.
  struct Server: Sendable {
    /// Its address as it was given.
    let name: String
    /// Carries inferences.
    let infer: Channel
    /// Carries all else, so that a health check never waits behind a large answer.
    let control: Channel
  }

  /// Where an attempt goes.
  struct Place {
    var server: Int
    /// Whether it is the one call that looks whether the server is back.
    var isProbe = false
  }

  /// What a call that comes while something is away does.
  enum Choice {
    case go(Place)
    /// Asks a server that had stopped answering whether it lives, and chooses again.
    case check(Int)
    case wait(until: ContinuousClock.Instant, TritonError)
  }

  let servers: [Server]
  private let isRoundRobin: Bool
  private let turn = Atomic(0)
  private let hasAbsences = Atomic(false)
  private let absences: Mutex<Absences>
  private let patience: Duration
  private let logger: Logger

  init(_ target: String, _ configuration: TritonClient.Configuration) throws {
    let members = try Target(target).members
    var control = configuration.channel
    control.maximumReceivedMessageBytes = min(
      control.maximumReceivedMessageBytes, TritonClient.maximumControlMessageBytes)
    servers = members.map { member in
      Server(
        name: members.count == 1 ? target : String(member.uri.drop { $0 != ":" }.dropFirst()),
        infer: Channel(member, configuration: configuration.channel),
        control: Channel(member, configuration: control))
    }
    isRoundRobin = configuration.channel.loadBalancing == .roundRobin
    absences = Mutex(Absences(configuration.retry))
    (patience, logger) = (configuration.retry.patience, configuration.logger)
  }

  /// Whether gRPC's core goes round the addresses of one name.
  var goesRoundName: Bool { isRoundRobin && servers.count == 1 }

  /// Whether anything is away: false costs a call nothing more.
  var isWhole: Bool { !hasAbsences.load(ordering: .relaxed) }

  /// The next server, while none is known to be away.
  func next() -> Place {
    guard servers.count > 1, isRoundRobin else { return Place(server: 0) }
    return Place(server: turn.wrappingAdd(1, ordering: .relaxed).newValue % servers.count)
  }

  /// A server that is not known to be away, if there is one: for what is sent once and at once.
  func present() -> Int {
    guard !isWhole, case .go(let place) = choose(.modelStreamInfer, model: nil, waits: false)
    else { return next().server }
    return place.server
  }

  /// Where a call of `model` goes while something is away.
  ///
  /// - Parameter waits: false takes a server that is away rather than wait.
  func choose(_ rpc: RPC, model: String?, waits: Bool) -> Choice {
    let first = next().server
    let order = servers.indices.map { (first + $0) % servers.count }
    let now = ContinuousClock.now
    switch absences.withLock({ $0.choose(from: order, model: model, now: now) }) {
    case .server(let server, let isProbe):
      if isProbe { channel(of: rpc, at: server).resetConnectBackoff() }
      if !isProbe, waits, let better = revisit(order, rpc, model, now) { return better }
      return .go(Place(server: server, isProbe: isProbe))
    case .wait(let instant, let error):
      return waits ? .wait(until: instant, error) : .go(Place(server: first))
    }
  }

  /// An absent server that this call may look for, although others would answer it.
  private func revisit(
    _ order: [Int], _ rpc: RPC, _ model: String?, _ now: ContinuousClock.Instant
  ) -> Choice? {
    guard let due = absences.withLock({ $0.claimDue(order, model: model, now: now) }) else {
      return nil
    }
    if due.error.code == TritonError.Code.deadline { return .check(due.server) }
    if due.error.code == TritonError.Code.connection {
      // The core connects by itself; no call is spent on it.
      guard channel(of: rpc, at: due.server).connectivity(connect: true) == .ready else {
        failed(due.server, nil, due.error)
        return nil
      }
    }
    return .go(Place(server: due.server, isProbe: true))
  }

  func channel(of rpc: RPC, at server: Int) -> Channel {
    rpc.isInference ? servers[server].infer : servers[server].control
  }

  /// Whether another server may answer a call of `model` in place of this one.
  func hasOther(than server: Int, model: String?) -> Bool {
    guard servers.count > 1 else { return false }
    return absences.withLock { $0.hasOther(than: server, of: servers.count, model: model) }
  }

  /// A server, or with `model` that model on it, is away.
  func failed(_ server: Int, _ model: String?, _ error: TritonError) {
    let isNew = absences.withLock { absences in
      hasAbsences.store(true, ordering: .relaxed)
      return absences.failed(.init(server: server, model: model), error, now: .now)
    }
    guard isNew else { return }
    let others = hasOther(than: server, model: model)
    let what = model.map { "model \($0) is not ready" } ?? "server is away"
    logger.warning(
      "\(what); \(others ? "other servers take over" : "calls wait for it, at most \(patience)")",
      metadata: ["server": "\(servers[server].name)", "reason": "\(error.message)"])
  }

  /// A server answered a call of `model`, well or not.
  func answered(_ server: Int, _ model: String?, sentAt: ContinuousClock.Instant) {
    let ended = absences.withLock { absences in
      let ended = absences.answered(server, model, sentAt: sentAt)
      hasAbsences.store(!absences.all.isEmpty, ordering: .relaxed)
      return ended
    }
    for (subject, absence) in ended {
      let what = subject.model.map { "model \($0) is ready again" } ?? "server is back"
      logger.notice(
        "\(what)",
        metadata: [
          "server": "\(servers[server].name)", "away": "\(ContinuousClock.now - absence.since)",
          "failures": "\(absence.failures)",
        ])
    }
  }

  /// A probe told nothing.
  func released(_ server: Int, _ model: String?) {
    absences.withLock { $0.released(server, model) }
  }
}
