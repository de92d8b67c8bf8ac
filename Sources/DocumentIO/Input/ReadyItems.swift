/// Items that have been found and not been asked for.
struct ReadyItems {
  private var items: [InputItem] = []
  private var at = 0
  private var held: [Reject] = []
  /// The most empty lines that are held back until it is known whether the file ends with them.
  private static let mostHeld = 1 << 16

  mutating func next() -> InputItem? {
    guard at < items.count else { return nil }
    at += 1
    defer {
      if at == items.count {
        items.removeAll(keepingCapacity: true)
        at = 0
      }
    }
    return items[at - 1]
  }

  mutating func add(_ item: InputItem) {
    if !held.isEmpty {
      items.append(contentsOf: held.map(InputItem.reject))
      held = []
    }
    items.append(item)
  }

  /// An empty line, which is a reject unless the file ends with it.
  mutating func hold(_ reject: Reject) {
    if held.count < Self.mostHeld { held.append(reject) } else { add(.reject(reject)) }
  }

  mutating func dropHeld() { held = [] }
}
