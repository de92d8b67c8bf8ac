internal import DequeModule

/// Work in the order in which it came, each piece under a ticket by which it can leave early.
struct WorkQueue<Work> {
  /// Tickets ascend, so that one is found by halving.
  private var waiting: Deque<(ticket: Int, work: Work)> = []
  private var lastTicket = 0

  /// The pieces that wait.
  var count: Int { waiting.count }

  /// Adds a piece at the end, and gives its ticket.
  mutating func append(_ work: Work) -> Int {
    lastTicket += 1
    waiting.append((lastTicket, work))
    return lastTicket
  }

  /// Takes out the piece that has waited longest.
  mutating func popFirst() -> Work? { waiting.popFirst()?.work }

  /// Takes out the piece of a ticket; nil when it does not wait any more.
  mutating func remove(_ ticket: Int) -> Work? {
    var (low, high) = (0, waiting.count)
    while low < high {
      let middle = (low + high) / 2
      if waiting[middle].ticket < ticket { low = middle + 1 } else { high = middle }
    }
    guard low < waiting.count, waiting[low].ticket == ticket else { return nil }
    return waiting.remove(at: low).work
  }

  /// Takes out everything, in order.
  mutating func removeAll() -> [Work] {
    defer { waiting.removeAll() }
    return waiting.map(\.work)
  }
}
