import Testing

@testable import EmbeddedEngine

@Suite struct WorkQueueTests {
  @Test func `Work leaves the queue in the order in which it came`() {
    var queue = WorkQueue<String>()
    for name in ["a", "b", "c"] { _ = queue.append(name) }
    #expect(queue.popFirst() == "a")
    _ = queue.append("d")
    #expect([queue.popFirst(), queue.popFirst(), queue.popFirst()] == ["b", "c", "d"])
    #expect(queue.popFirst() == nil)
  }

  @Test func `A ticket takes out its own work once, wherever it waits`() {
    for gone in 0..<5 {
      var queue = WorkQueue<Int>()
      let tickets = (0..<5).map { queue.append($0) }
      #expect(queue.remove(tickets[gone]) == gone)
      #expect(queue.remove(tickets[gone]) == nil)
      #expect(queue.count == 4)
      #expect(queue.removeAll() == (0..<5).filter { $0 != gone })
    }
  }

  @Test func `The ticket of work that has left takes out nothing`() {
    var queue = WorkQueue<Int>()
    let first = queue.append(1)
    let second = queue.append(2)
    #expect(queue.popFirst() == 1)
    #expect(queue.remove(first) == nil)
    #expect(queue.remove(0) == nil)
    #expect(queue.remove(second + 1) == nil)
    #expect(queue.removeAll() == [2])
    #expect(queue.remove(second) == nil)
  }
}
