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

  private(set) var state = State.open
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
  static let mostHeld = 1 << 16

  init(_ extent: RecordReader.Extent) { (self.extent, awaited) = (extent, extent.after) }

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

  mutating func add(_ item: InputItem, at place: SourceLocation) {
    if isBefore(place, isBlank: false) { return }
    endBlanks()
    if place.byte >= extent.end ?? .max { state = .past } else { items.append(item) }
  }

  /// A record before the extent.
  mutating func skip() { endBlanks() }

  /// An empty line, which is a reject unless the file ends with it.
  mutating func addBlank(_ reject: Reject) {
    if isBefore(reject.location, isBlank: true) { return }
    blanks += 1
    if blanks > Self.mostHeld { giveBlanks() }
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
    giveBlanks()
    (blanks, areBlanksGiven) = (0, false)
  }

  /// Whether an item comes before what is wanted; the one that was used last is recognized.
  private mutating func isBefore(_ place: SourceLocation, isBlank: Bool) -> Bool {
    guard let last = awaited else {
      // Of empty lines the number counts.
      guard place.byte < extent.start, !isBlank else { return false }
      endBlanks()
      return true
    }
    guard place.byte >= last.byte else { return true }
    guard last == RecordReader.Position(line: place.line, byte: place.byte) else {
      state = .changed
      return true
    }
    awaited = nil
    // It was given out, so those that follow it up to the next record were, too.
    areBlanksGiven = isBlank
    return true
  }
}
