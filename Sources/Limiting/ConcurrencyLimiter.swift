internal import DequeModule
internal import Synchronization

/// Lets a bounded amount of work run at once, first come, first served: an asynchronous semaphore.
///
/// Work is counted twice: in pieces, and by a cost such as the bytes of its answer. One piece that
/// costs more than the bound goes in alone. The bound on pieces may change while work waits.
public final class ConcurrencyLimiter: Sendable {
  private let state: Mutex<State>

  /// A limiter for `limit` pieces at once that together cost at most `costLimit`.
  public init(limit: Int, costLimit: Int = .max) {
    state = Mutex(State(limit: max(1, limit), costLimit: costLimit))
  }

  /// Pieces that may be inside.
  public var limit: Int {
    get { state.withLock { $0.limit } }
    set {
      let admitted = state.withLock { state in
        state.limit = max(1, newValue)
        return state.admit()
      }
      for waiter in admitted { waiter.resume() }
    }
  }

  /// Pieces inside now.
  public var active: Int { state.withLock { $0.active } }

  /// Pieces that wait outside now.
  var waiting: Int { state.withLock { $0.waiting.count } }

  /// Runs `body` while it holds a permit.
  ///
  /// - Throws: `CancellationError` when the task is cancelled while it waits; what `body` throws.
  public func withPermit<Result>(cost: Int = 0, _ body: () async throws -> Result) async throws
    -> Result
  {
    try await enter(cost)
    defer { leave(cost) }
    return try await body()
  }

  private func enter(_ cost: Int) async throws {
    let id = state.withLock { $0.nextID() }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let arrival = state.withLock { $0.arrive(Waiter(id, cost, continuation)) }
        switch arrival {
        case .admitted: continuation.resume()
        case .cancelled: continuation.resume(throwing: CancellationError())
        case .waits: break
        }
      }
    } onCancel: {
      let (left, admitted) = state.withLock { $0.cancel(id) }
      left?.resume(throwing: CancellationError())
      for waiter in admitted { waiter.resume() }
    }
  }

  private func leave(_ cost: Int) {
    let admitted = state.withLock { state in
      state.active -= 1
      state.activeCost -= cost
      return state.admit()
    }
    for waiter in admitted { waiter.resume() }
  }

  private struct Waiter {
    let id: Int
    let cost: Int
    let continuation: CheckedContinuation<Void, any Error>

    init(_ id: Int, _ cost: Int, _ continuation: CheckedContinuation<Void, any Error>) {
      (self.id, self.cost, self.continuation) = (id, cost, continuation)
    }
  }

  private enum Arrival { case admitted, waits, cancelled }

  private struct State {
    var limit: Int
    let costLimit: Int
    var active = 0
    var activeCost = 0
    private var lastID = 0
    private(set) var waiting: Deque<Waiter> = []
    /// Cancelled between taking an id and arriving.
    private var cancelled: Set<Int> = []
    /// Taken ids that have not arrived yet.
    private var coming: Set<Int> = []

    init(limit: Int, costLimit: Int) { (self.limit, self.costLimit) = (limit, costLimit) }

    mutating func nextID() -> Int {
      lastID += 1
      coming.insert(lastID)
      return lastID
    }

    mutating func arrive(_ waiter: Waiter) -> Arrival {
      coming.remove(waiter.id)
      if cancelled.remove(waiter.id) != nil { return .cancelled }
      if waiting.isEmpty, hasRoom(waiter.cost) {
        take(waiter.cost)
        return .admitted
      }
      waiting.append(waiter)
      return .waits
    }

    /// The one that no longer waits, and those that go in because it stood before them.
    mutating func cancel(
      _ id: Int
    ) -> (
      left: CheckedContinuation<Void, any Error>?, admitted: [CheckedContinuation<Void, any Error>]
    ) {
      if coming.contains(id) {
        cancelled.insert(id)
        return (nil, [])
      }
      guard let place = waiting.firstIndex(where: { $0.id == id }) else { return (nil, []) }
      let left = waiting.remove(at: place).continuation
      return (left, admit())
    }

    /// Lets in whoever has room now, in order.
    mutating func admit() -> [CheckedContinuation<Void, any Error>] {
      var admitted: [CheckedContinuation<Void, any Error>] = []
      while let next = waiting.first, hasRoom(next.cost) {
        take(next.cost)
        admitted.append(next.continuation)
        waiting.removeFirst()
      }
      return admitted
    }

    private func hasRoom(_ cost: Int) -> Bool {
      // A sum of two costs could overflow.
      active < limit && (active == 0 || cost <= costLimit - activeCost)
    }

    private mutating func take(_ cost: Int) {
      active += 1
      activeCost += cost
    }
  }
}
