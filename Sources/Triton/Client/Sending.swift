internal import GRPCChannel
internal import Logging

/// A call on its way: what it may take, and what it has lost to servers that were away.
struct OngoingCall {
  let rpc: RPC
  /// The model it concerns; nil for calls that no model's absence should hold up.
  let model: String?
  let isIdempotent: Bool
  let options: CallOptions
  let timeout: Duration
  /// How long it waits, and how far the waits push out its end.
  let patience, extensible: Duration
  let attemptsAllowed: Int
  let start = ContinuousClock.now
  var attempt = 1
  var sends = 0
  /// When the last attempt began.
  var sentAt: ContinuousClock.Instant
  var lost = Duration.zero
  var hasRefreshedHeaders = false

  init(
    _ rpc: RPC, model: String?, isIdempotent: Bool, _ options: CallOptions,
    _ configuration: TritonClient.Configuration
  ) {
    (self.rpc, self.model, self.isIdempotent, self.options) = (rpc, model, isIdempotent, options)
    timeout = options.timeout ?? configuration.timeout
    // Whoever asks for health wants to hear of an absence, not to wait for its end.
    let standard = rpc.isHealth ? .zero : configuration.retry.patience
    patience = options.patience ?? standard
    extensible = options.patience ?? (options.timeout == nil ? standard : .zero)
    attemptsAllowed = options.attempts ?? configuration.retry.attempts
    sentAt = start
  }

  /// Whether it waits for what is away.
  var waits: Bool { patience > .zero && attemptsAllowed > 1 }

  /// When it ends, should it have lost that much.
  func deadline(losing lost: Duration) -> ContinuousClock.Instant {
    start + timeout + min(lost, extensible)
  }
}

extension TritonClient {
  /// Sends until it succeeds, the error is final, or attempts, time, patience or budget are used
  /// up.
  func send(
    _ rpc: RPC, _ message: OutgoingMessage, _ options: CallOptions, model: String? = nil,
    isIdempotent: Bool
  ) async throws -> UnaryAnswer {
    var call = OngoingCall(
      rpc, model: model, isIdempotent: isIdempotent, options, configuration)
    while true {
      var place = pool.next()
      if !pool.isWhole { place = try await self.place(of: &call) }
      do {
        return try await sendOnce(&call, message, at: place)
      } catch let error as TritonError {
        try await recover(from: error, &call, at: place)
      } catch {
        // The task was cancelled, or the caller's own provider of headers failed.
        if place.isProbe { pool.released(place.server, model) }
        if error is CancellationError { count { $0.cancelled += 1 } }
        throw error
      }
    }
  }

  private func sendOnce(
    _ call: inout OngoingCall, _ message: OutgoingMessage, at place: ServerPool.Place
  ) async throws -> UnaryAnswer {
    var provided: Metadata?
    if configuration.headerProvider != nil { provided = try await providedHeaders(call) }
    let options = rpcOptions(call, provided)
    let isRetry = call.sends > 0
    if isRetry || call.lost > .zero { call.sentAt = .now }
    call.sends += 1
    do {
      let channel = pool.channel(of: call.rpc, at: place.server)
      let answer = try await channel.unary(call.rpc.method, message, options: options)
      succeeded(call.model, isRetry: isRetry, sent: message.count, answer.message.count)
      if !pool.isWhole { pool.answered(place.server, call.model, sentAt: call.sentAt) }
      return answer
    } catch let failure as RPCError {
      count { statistics in
        statistics.bytesSent += message.count
        if isRetry { statistics.retries += 1 }
      }
      throw translated(failure, call.rpc, at: place.server)
    }
  }

  /// Chooses a server while some are away, and waits when all are.
  private func place(of call: inout OngoingCall) async throws -> ServerPool.Place {
    while true {
      try Task.checkCancellation()
      switch pool.choose(call.rpc, model: call.model, waits: call.waits) {
      case .go(let place): return place
      case .check(let server): await check(server)
      case .wait(_, let error) where call.options.notRetried.contains(error.code):
        return pool.next()
      case .wait(let instant, let error):
        let now = ContinuousClock.now
        let lost = call.lost + (instant - now)
        guard lost < call.patience, instant < call.deadline(losing: lost) else {
          throw final(error, call)
        }
        try await Task.sleep(until: instant)
        call.lost += .now - now
      }
    }
  }

  /// Looks whether a server lives that has let a deadline pass; others answer meanwhile.
  private func check(_ server: Int) async {
    var options = RPCOptions()
    options.timeout = .seconds(2)
    options.metadata = configuration.metadata
    let live = RPC.serverLive
    let sentAt = ContinuousClock.now
    do {
      let request = OutgoingMessage(ProtobufMessage().packed(as: live.request))
      _ = try await pool.servers[server].control.unary(live.method, request, options: options)
      pool.answered(server, nil, sentAt: sentAt)
    } catch let failure as RPCError {
      // Whoever refuses the question, for want of a header for one, lives.
      guard [.deadlineExceeded, .unavailable, .cancelled].contains(failure.code) else {
        return pool.answered(server, nil, sentAt: sentAt)
      }
      var error = translated(failure, live, at: server)
      error.code = .deadline
      pool.failed(server, nil, error)
    } catch {
      pool.released(server, nil)
    }
  }

  /// Prepares the next attempt, or throws the error when there is none.
  private func recover(
    from error: TritonError, _ call: inout OngoingCall, at place: ServerPool.Place
  ) async throws {
    var error = error
    if error.code == .unknownModel, let model = call.model, wasServed(model) {
      error.code = .notReady
      error.concernsModel = true
      error.remedy = "the model was there before: load it again, or wait until it is"
    }
    if error.status == .unauthenticated, configuration.headerProvider != nil,
      !call.hasRefreshedHeaders
    {
      call.hasRefreshedHeaders = true
      configuration.logger.info("the server refused the headers; new ones are asked for")
      return
    }
    let verdict = verdict(on: error, &call, at: place)
    note(error, verdict, call, at: place)
    switch verdict {
    case .giveUp: throw final(error, call)
    case .elsewhere, .wait: return
    case .again: try await pause(after: error, &call, at: place)
    }
  }

  private func verdict(
    on error: TritonError, _ call: inout OngoingCall, at place: ServerPool.Place
  ) -> RetryVerdict {
    guard !error.isLocal else { return .giveUp }
    let isLost = error.code.meansAbsence || error.code == .deadline
    // Whatever was not a wait was the attempts that failed.
    let lost = isLost ? max(call.lost, ContinuousClock.now - call.start) : call.lost
    let verdict = configuration.retry.verdict(
      on: FailedAttempt(
        code: error.code, isIdempotent: call.isIdempotent, wasNotRun: error.wasNotRun,
        attempt: call.attempt, attemptsAllowed: call.attemptsAllowed, lost: lost,
        patience: call.patience, timeLeft: call.deadline(losing: lost) - .now,
        hasOtherServer: pool.hasOther(than: place.server, model: call.model),
        mayMeetOther: pool.goesRoundName,
        wasServed: wasServed(error.concernsModel ? call.model : nil)))
    let isAnsweredByCaller = call.options.notRetried.contains(error.code)
    guard verdict == .elsewhere || !isAnsweredByCaller else { return .giveUp }
    // Whoever has waited says so at the end, the last attempt included.
    if verdict == .elsewhere || verdict == .wait || call.lost > .zero { call.lost = lost }
    return verdict
  }

  /// Tells the pool what the failure says of the server.
  private func note(
    _ error: TritonError, _ verdict: RetryVerdict, _ call: OngoingCall, at place: ServerPool.Place
  ) {
    let isAway = error.code.meansAbsence || error.code == .deadline
    if isAway, verdict == .elsewhere || verdict == .wait || place.isProbe {
      pool.failed(place.server, error.concernsModel ? call.model : nil, error)
    } else if !isAway, error.code != .cancelled, !error.isLocal, !pool.isWhole {
      pool.answered(place.server, call.model, sentAt: call.sentAt)
    } else if place.isProbe {
      pool.released(place.server, call.model)
    }
    guard verdict != .giveUp else { return }
    configuration.logger.debug(
      "call is tried again",
      metadata: [
        "rpc": "\(call.rpc.name)", "reason": "\(error.message)", "class": "\(error.code)",
        "sent": "\(call.sends)",
      ])
  }

  /// A pause of this call's own, paid from the budget.
  private func pause(
    after error: TritonError, _ call: inout OngoingCall, at place: ServerPool.Place
  ) async throws {
    call.attempt += 1
    let ceiling = configuration.retry.ceiling(beforeAttempt: call.attempt)
    let pause = ceiling * Double.random(in: 0...1)
    guard ContinuousClock.now + pause < call.deadline(losing: call.lost), spendRetry() else {
      throw final(error, call)
    }
    try await Task.sleep(for: pause)
    if error.code == .connection {
      pool.channel(of: call.rpc, at: place.server).resetConnectBackoff()
    }
  }

  /// The error as the caller gets it, counted.
  private func final(_ error: TritonError, _ call: OngoingCall) -> TritonError {
    count { $0.failed[error.code, default: 0] += 1 }
    guard call.lost > .seconds(1), error.code.meansAbsence else { return error }
    var error = error
    error.message += " (waited \(call.lost.components.seconds) s for it to come back)"
    return error
  }
}
