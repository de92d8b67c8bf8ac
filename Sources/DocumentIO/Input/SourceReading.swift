/// What a source reads.
struct SourcePlan: Sendable {
  let parts: [InputPart]
  /// The number of the part that reading begins with.
  let first: Int
  let notices: [InputNotice]

  init(_ parts: [InputPart], first: Int = 0, notices: [InputNotice]) {
    (self.parts, self.first, self.notices) = (parts, first, notices)
  }

  /// Bytes of all parts as they lie on disk, nil where one has no size.
  var byteCount: Int? {
    let sizes = parts.map(\.byteCount)
    return sizes.contains(nil) ? nil : sizes.reduce(0) { $0 + ($1 ?? 0) }
  }
}

extension InputPart {
  /// Its bytes as they lie on disk, nil where it has no size.
  var byteCount: Int? {
    guard let size = file.byteCount else { return nil }
    return min(extent.end ?? size, size) - min(extent.start, size)
  }

  /// How many of them come before a byte of the file.
  func byteCount(before byte: Int) -> Int {
    let taken = max(0, byte - extent.start)
    return byteCount.map { min(taken, $0) } ?? taken
  }
}

extension RecordSource {
  /// What the thread does.
  static func read(
    _ plan: SourcePlan, _ options: RecordReader.Options, _ system: SystemCalls,
    _ queue: RecordQueue
  ) {
    defer { queue.end() }
    var done = plan.parts[..<plan.first].reduce(0) { $0 + ($1.byteCount ?? 0) }
    queue.add(plan.notices.map(InputItem.notice), readBytes: done)
    for (number, part) in plan.parts.enumerated().dropFirst(plan.first) {
      let reader = RecordReader(
        part, number: number, options: options, system: system, cancellation: queue.cancellation)
      do throws(CancellationError) {
        try read(reader, queue) { done + part.byteCount(before: reader.consumedFileBytes) }
      } catch { return }
      done += part.byteCount ?? reader.consumedFileBytes
      queue.add([], readBytes: done)
    }
  }

  /// Reads one file. What has come is given out before more is waited for.
  private static func read(
    _ reader: RecordReader, _ queue: RecordQueue, _ readBytes: () -> Int
  ) throws(CancellationError) {
    var batch: [InputItem] = []
    var bytes = 0
    var mayWait = false
    // Few at a time at first, so that the first go out soon; handing over has its price, too.
    var most = 16
    while true {
      let step = try reader.step(wait: mayWait)
      if case .item(let item) = step {
        batch.append(item)
        bytes += item.byteCount
      }
      let isFull = batch.count >= most || bytes >= 1 << 18
      if case .item = step, !isFull, !mayWait { continue }
      queue.add(batch, readBytes: readBytes())
      try queue.cancellation.check()
      if isFull { most = Swift.min(2 * most, mostAhead.items / 4) }
      (batch, bytes) = ([], 0)
      if case .end = step { return }
      if case .wouldWait = step { mayWait = true } else { mayWait = false }
    }
  }
}
