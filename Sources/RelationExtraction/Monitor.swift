internal import Synchronization

/// State that a few tasks share and wait on, one task at each side.
///
/// Whoever changes it wakes those whose condition then holds. A task stops waiting when it is
/// cancelled.
final class Monitor<State: Sendable, Side: Hashable & Sendable>: Sendable {
  typealias Condition = @Sendable (borrowing State) -> Bool

  private let inside: Mutex<Inside>

  private struct Inside {
    var state: State
    var waiters: [Side: (condition: Condition, task: CheckedContinuation<Void, Never>)] = [:]
  }

  init(_ state: State) { inside = Mutex(Inside(state: state)) }

  /// Changes the state and wakes who waited for that.
  func change<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
    let (result, ready) = inside.withLock { inside in
      let result = body(&inside.state)
      var ready: [CheckedContinuation<Void, Never>] = []
      for (side, waiter) in inside.waiters where waiter.condition(inside.state) {
        inside.waiters[side] = nil
        ready.append(waiter.task)
      }
      return (result, ready)
    }
    for task in ready { task.resume() }
    return result
  }

  /// Waits until the condition holds; false when the task is cancelled.
  func wait(_ side: Side, until condition: @escaping Condition) async -> Bool {
    while !Task.isCancelled, !inside.withLock({ condition($0.state) }) {
      await withTaskCancellationHandler {
        await withCheckedContinuation { task in
          let isOver = inside.withLock { inside in
            // Seen under the lock: a cancellation before this is seen here, a later one wakes us.
            if Task.isCancelled || condition(inside.state) { return true }
            precondition(inside.waiters[side] == nil, "two tasks at one side")
            inside.waiters[side] = (condition, task)
            return false
          }
          if isOver { task.resume() }
        }
      } onCancel: {
        inside.withLock { $0.waiters.removeValue(forKey: side) }?.task.resume()
      }
    }
    return !Task.isCancelled
  }
}
