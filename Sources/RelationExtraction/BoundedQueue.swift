internal import DequeModule
internal import Synchronization

/// A first-in first-out queue between one task that fills it and one that empties it.
///
/// It is bounded by a count and by a cost such as bytes: whoever fills it asks for room first. Both
/// sides stop waiting when their task is cancelled.
final class BoundedQueue<Element: Sendable>: Sendable {
  private let state: Mutex<State>

  /// A queue that has room while it holds fewer than `limit` elements which cost less than
  /// `costLimit`; both at least 1.
  init(limit: Int, costLimit: Int = .max) {
    state = Mutex(State(limit: max(1, limit), costLimit: max(1, costLimit)))
  }

  /// Waits until another element may come; false when the task is cancelled.
  func waitForRoom() async -> Bool {
    await wait(.producer) { $0.hasRoom }
    return !Task.isCancelled
  }

  /// Adds an element, whether there is room or not.
  func append(_ element: Element, cost: Int = 0) {
    wake(.consumer) { state in
      state.elements.append((element, cost))
      state.cost += cost
    }
  }

  /// No element comes after those that are there; `failure` is why, where it is an error.
  func finish(_ failure: (any Error)? = nil) {
    wake(.consumer) { state in (state.isFinished, state.failure) = (true, failure) }
  }

  /// Why it was finished; nil before that and for a plain end.
  var failure: (any Error)? { state.withLock { $0.failure } }

  /// Waits for an element and takes what is there, at most `limit` elements.
  ///
  /// - Returns: nothing at the end, or when the task is cancelled.
  func take(upTo limit: Int) async -> [Element] {
    await wait(.consumer) { !$0.elements.isEmpty || $0.isFinished }
    guard !Task.isCancelled else { return [] }
    var taken: [Element] = []
    wake(.producer) { state in
      let count = min(limit, state.elements.count)
      taken.reserveCapacity(count)
      for _ in 0..<count {
        let (element, cost) = state.elements.removeFirst()
        taken.append(element)
        state.cost -= cost
      }
    }
    return taken
  }

  private typealias Waiter = CheckedContinuation<Void, Never>
  private enum Side { case producer, consumer }

  private struct State {
    var elements: Deque<(element: Element, cost: Int)> = []
    var cost = 0
    let limit, costLimit: Int
    var isFinished = false
    var failure: (any Error)?
    /// The one task that waits at each side.
    var waiters: [Side: Waiter] = [:]

    init(limit: Int, costLimit: Int) { (self.limit, self.costLimit) = (limit, costLimit) }

    var hasRoom: Bool { elements.count < limit && cost < costLimit }
  }

  /// Waits until the condition holds or the task is cancelled.
  private func wait(
    _ side: Side, until condition: @Sendable (borrowing State) -> Bool
  ) async {
    while !Task.isCancelled, !state.withLock({ condition($0) }) {
      await withTaskCancellationHandler {
        await withCheckedContinuation { waiter in
          let isOver = state.withLock { state in
            // Seen under the lock: a cancellation before this is seen here, a later one wakes us.
            if Task.isCancelled || condition(state) { return true }
            precondition(state.waiters[side] == nil, "two tasks at one side of a queue")
            state.waiters[side] = waiter
            return false
          }
          if isOver { waiter.resume() }
        }
      } onCancel: {
        wake(side) { _ in }
      }
    }
  }

  private func wake(_ side: Side, _ change: (inout State) -> Void) {
    let waiter = state.withLock { state in
      change(&state)
      return state.waiters.removeValue(forKey: side)
    }
    waiter?.resume()
  }
}
