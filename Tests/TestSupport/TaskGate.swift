internal import Synchronization

/// Holds tasks until it is opened; a cancelled task goes through at once.
package final class TaskGate: Sendable {
  private struct State {
    var isOpen = false
    var arrived = 0
    var next = 0
    var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
  }
  private let state = Mutex(State())

  /// A closed gate.
  package init() {}

  /// Tasks that have come to the gate so far.
  package var arrived: Int { state.withLock { $0.arrived } }

  /// Waits until the gate is open or the task is cancelled.
  package func pass() async {
    let id = state.withLock { state in
      state.next += 1
      return state.next
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let (passes, watchers) = state.withLock { state in
          state.arrived += 1
          let seen = state.watchers.filter { $0.count <= state.arrived }
          state.watchers.removeAll { $0.count <= state.arrived }
          let passes = state.isOpen || Task.isCancelled
          if !passes { state.waiting[id] = continuation }
          return (passes, seen)
        }
        for watcher in watchers { watcher.continuation.resume() }
        if passes { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.waiting.removeValue(forKey: id) }?.resume()
    }
  }

  /// Lets everybody through from now on.
  package func open() {
    let waiting = state.withLock { state in
      state.isOpen = true
      defer { state.waiting = [:] }
      return state.waiting.values
    }
    for continuation in waiting { continuation.resume() }
  }

  /// Waits until so many tasks have come.
  package func waitForArrivals(_ count: Int) async {
    await withCheckedContinuation { continuation in
      let isThere = state.withLock { state in
        if state.arrived >= count { return true }
        state.watchers.append((count, continuation))
        return false
      }
      if isThere { continuation.resume() }
    }
  }
}
