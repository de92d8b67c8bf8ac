internal import Foundation
internal import Inference
internal import Synchronization
internal import RelationServing

/// Keeps a number of requests in flight and counts what comes back.
struct LoadGenerator {
  let engine: TritonEngine
  let batches: [InferenceBatch]
  let inFlight: Int
  let window: Duration
  let threshold: Float

  /// Windows of one measurement at most.
  private static let windows = 10
  /// A measurement is stable when so many windows in a row differ by at most a tenth.
  private static let alike = 3

  /// What the last windows measured.
  struct Load {
    /// Of each request, ascending.
    var latencies: [Duration] = []
    var sentences = 0
    var seconds = 0.0
    var isStable = false

    var rate: Double { seconds > 0 ? Double(sentences) / seconds : 0 }

    /// The latency that a share of the requests stayed below, in milliseconds.
    func percentile(_ share: Double) -> Double {
      guard !latencies.isEmpty else { return 0 }
      let place = Int((Double(latencies.count) * share).rounded(.up)) - 1
      return latencies[min(max(place, 0), latencies.count - 1)].milliseconds
    }
  }

  /// Runs until the rate is stable, after one window that is not counted.
  func run() async throws -> Load {
    let tally = Tally()
    return try await withThrowingTaskGroup(of: Void.self) { group in
      for worker in 0..<inFlight { group.addTask { try await drive(worker, tally) } }
      group.addTask { try await Task.sleep(for: window) }
      // A worker ends only by an error, which this throws.
      try await group.next()
      _ = tally.take()
      var windows: [Load] = []
      repeat {
        group.addTask { try await Task.sleep(for: window) }
        try await group.next()
        windows.append(tally.take())
      } while windows.count < Self.windows && !Self.isStable(windows)
      group.cancelAll()
      return Self.joined(windows)
    }
  }

  private func drive(_ worker: Int, _ tally: Tally) async throws {
    var turn = worker
    while true {
      let batch = batches[turn % batches.count]
      turn += inFlight
      let begin = ContinuousClock.now
      _ = try await engine.infer(batch, threshold: threshold)
      tally.count(.now - begin, sentences: batch.rowCount)
    }
  }

  private static func isStable(_ windows: [Load]) -> Bool {
    let rates = windows.suffix(alike).map(\.rate)
    guard rates.count == alike, let least = rates.min(), let most = rates.max(), least > 0 else {
      return false
    }
    return most / least <= 1.1
  }

  private static func joined(_ windows: [Load]) -> Load {
    var load = Load()
    for window in windows.suffix(alike) {
      load.latencies += window.latencies
      load.sentences += window.sentences
      load.seconds += window.seconds
    }
    load.latencies.sort()
    load.isStable = isStable(windows)
    return load
  }

  /// The requests that ended since the last window.
  private final class Tally: Sendable {
    private let state = Mutex((load: Load(), begin: ContinuousClock.now))

    func count(_ latency: Duration, sentences: Int) {
      state.withLock { state in
        state.load.latencies.append(latency)
        state.load.sentences += sentences
      }
    }

    func take() -> Load {
      state.withLock { state in
        var load = state.load
        let now = ContinuousClock.now
        load.seconds = (now - state.begin).milliseconds / 1_000
        state = (Load(), now)
        return load
      }
    }
  }
}

extension Duration {
  /// Its length in milliseconds.
  var milliseconds: Double {
    Double(components.seconds) * 1e3 + Double(components.attoseconds) * 1e-15
  }
}
