internal import Foundation

/// Items on their way from the thread that reads to the task that asks.
///
/// The condition guards all that changes; the thread waits on it for room, the task never.
final class RecordQueue: @unchecked Sendable {
  /// What there is for who asks.
  enum Popped {
    case item(InputItem)
    case end
    case none
  }

  let cancellation = Cancellation()

  private let condition = NSCondition()
  private var items: [InputItem] = []
  private var at = 0
  private var bytes = 0
  private var isEnded = false
  private var isStopped = false
  private var threadWaits = false
  private var bytesRead = 0
  private var waiting: CheckedContinuation<Void, Never>?

  private func locked<Result>(_ body: () -> Result) -> Result {
    condition.lock()
    defer { condition.unlock() }
    return body()
  }

  var readBytes: Int { locked { bytesRead } }

  var isEmpty: Bool { locked { at == items.count && !isEnded } }

  /// All there will be.
  func begin(with items: [InputItem]) {
    locked { (self.items, isEnded) = (items, true) }
  }

  /// Waits until there is room, and adds.
  func add(_ more: [InputItem], readBytes: Int) {
    let most = RecordSource.mostAhead
    locked {
      while !isStopped, items.count - at >= most.items || bytes >= most.bytes {
        threadWaits = true
        condition.wait()
      }
      threadWaits = false
      items.append(contentsOf: more)
      bytes += more.reduce(0) { $0 + $1.byteCount }
      bytesRead = readBytes
    }
    if !more.isEmpty { wake() }
  }

  func end() {
    locked { isEnded = true }
    wake()
  }

  /// Lets the thread end, also where it waits.
  func stop() {
    cancellation.cancel()
    locked {
      isStopped = true
      condition.signal()
    }
  }

  func pop() -> Popped {
    locked {
      guard at < items.count else { return isEnded ? .end : .none }
      let item = items[at]
      at += 1
      bytes -= item.byteCount
      if at == items.count {
        items.removeAll(keepingCapacity: true)
        at = 0
      } else if at >= 512 {
        items.removeFirst(at)
        at = 0
      }
      wakeThread()
      return .item(item)
    }
  }

  /// All that is there; nil at the end.
  func popAll() -> [InputItem]? {
    locked {
      guard at < items.count else { return isEnded ? nil : [] }
      let all = at == 0 ? items : Array(items[at...])
      (items, at, bytes) = ([], 0, 0)
      wakeThread()
      return all
    }
  }

  /// Wakes the thread once half of what it may read ahead is gone: for each item would be dear.
  private func wakeThread() {
    let most = RecordSource.mostAhead
    if threadWaits, items.count - at <= most.items / 2, bytes <= most.bytes / 2 {
      condition.signal()
    }
  }

  /// Resumes the task when there is something, or is already.
  func wait(_ continuation: CheckedContinuation<Void, Never>) {
    let isReady = locked {
      guard at == items.count, !isEnded, !Task.isCancelled else { return true }
      precondition(waiting == nil, "two tasks ask one source for its next item")
      waiting = continuation
      return false
    }
    if isReady { continuation.resume() }
  }

  /// Resumes the task that waits.
  func wake() {
    let woken = locked {
      defer { waiting = nil }
      return waiting
    }
    woken?.resume()
  }
}
