/// Items of an extent that have been found and not been asked for.
///
/// Empty lines are held back until it is known whether the file ends with them, which needs those
/// before the extent to be counted and those behind it to be seen.
struct ReadyItems {
  /// What has become of the extent.
  enum State {
    /// Its items come, or will.
    case open
    /// An item behind its end was found.
    case past
    /// The item that it goes on behind is not there.
    case changed
  }

  private var state = State.open
  private let extent: RecordReader.Extent
  private var awaited: RecordReader.Position?
  private var items: [InputItem] = []
  private var at = 0
  private var held: [Reject] = []
  /// Empty lines since the last record, those outside the extent included.
  private var blanks = 0
  /// Whether empty lines are given out up to the next record.
  private var areBlanksGiven = false
  /// The most empty lines that are held back.
  private let mostHeld: Int

  init(_ extent: RecordReader.Extent, mostHeld: Int) {
    (self.extent, awaited, self.mostHeld) = (extent, extent.after, mostHeld)
  }

  /// Whether the item is still to come that the extent goes on behind.
  var isWaiting: Bool { awaited != nil }

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

  /// A notice of the file as such.
  mutating func say(_ notice: InputNotice) { items.append(.notice(notice)) }

  /// Takes what was found, and tells what has become of the extent.
  mutating func take(_ found: FoundRecord) -> State {
    switch found {
    case .record(let record): add(.record(record), at: record.location.position)
    case .reject(let reject): add(.reject(reject), at: reject.location.position)
    case .blank(let reject): addBlank(reject)
    case .skipped: endBlanks()
    }
    return state
  }

  private mutating func add(_ item: InputItem, at place: RecordReader.Position) {
    if isBefore(place, isBlank: false) { return }
    endBlanks()
    if place.byte >= extent.end ?? .max { state = .past } else { items.append(item) }
  }

  /// An empty line, which is a reject unless the file ends with it.
  private mutating func addBlank(_ reject: Reject) {
    if isBefore(reject.location.position, isBlank: true) { return }
    blanks += 1
    if blanks > mostHeld { giveBlanks() }
    let byte = reject.location.byte
    if byte < extent.start { return }
    if byte >= extent.end ?? .max {
      // Only what is held still waits to know how it goes on.
      if held.isEmpty { state = .past }
    } else if areBlanksGiven {
      items.append(.reject(reject))
    } else {
      held.append(reject)
    }
  }

  mutating func dropHeld() { held = [] }

  private mutating func giveBlanks() {
    items.append(contentsOf: held.map(InputItem.reject))
    (held, areBlanksGiven) = ([], true)
  }

  private mutating func endBlanks() {
    // Nearly all records follow another.
    guard blanks > 0 || areBlanksGiven else { return }
    giveBlanks()
    (blanks, areBlanksGiven) = (0, false)
  }

  /// Whether an item comes before what is wanted; the one that was used last is recognized.
  private mutating func isBefore(_ place: RecordReader.Position, isBlank: Bool) -> Bool {
    guard let last = awaited else {
      // Of empty lines the number counts.
      guard place.byte < extent.start, !isBlank else { return false }
      endBlanks()
      return true
    }
    guard place.byte >= last.byte else { return true }
    guard last == place else {
      state = .changed
      return true
    }
    awaited = nil
    // It was given out, so those that follow it up to the next record were, too.
    areBlanksGiven = isBlank
    return true
  }
}
