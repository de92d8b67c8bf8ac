/// Cuts comma-separated text into records by RFC 4180: bytes in, records out, however they come.
///
/// A quote opens a field only as its first byte. A record whose quote does not close before the
/// limit or the end, or closes in the middle of a later line, is given back line by line, each
/// read by itself; so one stray quote costs its line and no other, and every byte is looked at
/// twice at most.
struct DelimitedMachine {
  /// One field of a record.
  struct Field: Equatable {
    /// Its bytes, counted from the record's first, without the quotes around it.
    var range: Range<Int>
    /// Whether it holds doubled quotes.
    var hasDoubledQuotes = false
  }

  /// One record, or a line that is none.
  struct Row {
    var frame: Frame
    /// Why it is no record.
    var fault: Fault?
  }

  enum Fault: Equatable { case openQuote, quoteWithin, tooLong }

  /// The fields of the record that was found last.
  var fields: [Field] { scan.fields }

  private var lines: LineMachine
  private var scan: FieldScan
  /// Up to where in the stream each line stands by itself.
  private var aloneUntil = 0

  init(limit: Int, delimiter: UInt8 = UInt8(ascii: ","), lineEnd: UInt8 = 0x0A) {
    lines = LineMachine(limit: limit, lineEnd: lineEnd)
    scan = FieldScan(delimiter: delimiter, lineEnd: lineEnd)
  }

  /// The next record; nil when more bytes are needed, or when there are none at the end.
  mutating func next(_ input: inout InputBuffer) -> Row? {
    if input.offset < aloneUntil || lines.isWithinLine { return lone(&input) }
    let window = min(input.count, lines.limit + 1)
    let isWhole = input.isAtEnd && window == input.count
    switch scanned(input, window, isLast: isWhole) {
    case .needsMore:
      if window > lines.limit { return giveBack(&input) }
      return nil
    case .nothing: return nil
    case .fault: return giveBack(&input)
    case .record(let length, _) where length > lines.limit: return giveBack(&input)
    case .record(let length, let isTerminated):
      let frame = Frame(
        line: lines.line, byte: input.offset, range: input.start..<input.start + length,
        byteCount: length, isTerminated: isTerminated, beginning: nil)
      lines.skip(lines: scan.innerLines + 1)
      input.take(length + (isTerminated ? 1 : 0))
      scan.restart()
      return Row(frame: frame, fault: nil)
    }
  }

  private mutating func scanned(
    _ input: borrowing InputBuffer, _ window: Int, isLast: Bool
  ) -> FieldScan.Outcome {
    scan.run(input.bytes.span.extracting(input.start..<input.start + window), isLast: isLast)
  }

  /// What has been scanned is read again, each line by itself.
  private mutating func giveBack(_ input: inout InputBuffer) -> Row? {
    aloneUntil = input.offset + max(scan.at, 1)
    scan.restart()
    return lone(&input)
  }

  private mutating func lone(_ input: inout InputBuffer) -> Row? {
    guard let frame = lines.next(&input) else { return nil }
    guard frame.beginning == nil else { return Row(frame: frame, fault: .tooLong) }
    scan.forgetFields()
    let outcome = scan.run(input.bytes.span.extracting(frame.range), isLast: true)
    scan.restart()
    if case .fault(let fault) = outcome { return Row(frame: frame, fault: fault) }
    if case .nothing = outcome { scan.addEmptyField() }
    return Row(frame: frame, fault: nil)
  }
}

/// The fields of one record, found byte by byte.
struct FieldScan {
  enum Outcome: Equatable {
    case needsMore
    case nothing
    case fault(DelimitedMachine.Fault)
    case record(length: Int, isTerminated: Bool)
  }

  private enum State { case atFieldStart, plain, quoted, afterQuote, afterReturn }

  let delimiter: UInt8
  let lineEnd: UInt8
  private(set) var fields: [DelimitedMachine.Field] = []
  /// How far the record was scanned.
  private(set) var at = 0
  /// Line ends within quotes.
  private(set) var innerLines = 0
  private var state = State.atFieldStart
  private var isFirst = true
  private var fieldStart = 0
  private var hasDoubledQuotes = false

  init(delimiter: UInt8, lineEnd: UInt8) { (self.delimiter, self.lineEnd) = (delimiter, lineEnd) }

  /// Begins with the next record; the fields of the last are kept until bytes are scanned.
  mutating func restart() {
    (at, innerLines, fieldStart) = (0, 0, 0)
    (state, isFirst, hasDoubledQuotes) = (.atFieldStart, true, false)
  }

  mutating func forgetFields() { fields.removeAll(keepingCapacity: true) }
  mutating func addEmptyField() { fields.append(.init(range: 0..<0)) }

  /// Goes on with a record that lies at the front of `bytes`, where it was left.
  mutating func run(_ bytes: Span<UInt8>, isLast: Bool) -> Outcome {
    if isFirst, bytes.count > 0 {
      isFirst = false
      forgetFields()
    }
    while at < bytes.count {
      let byte = bytes[at]
      switch state {
      case .atFieldStart: begin(byte)
      case .plain:
        // The common bytes first: a plain field goes on.
        if byte == delimiter { close(at) } else if byte == lineEnd { return end(bytes, at) }
        at += 1
      case .quoted:
        if byte == UInt8(ascii: "\"") { state = .afterQuote }
        if byte == lineEnd { innerLines += 1 }
        at += 1
      case .afterQuote, .afterReturn:
        if byte == lineEnd {
          if state == .afterQuote { closeQuoted() }
          return .record(length: at, isTerminated: true)
        }
        guard state == .afterQuote, goOn(byte) else { return .fault(.quoteWithin) }
        at += 1
      }
    }
    return isLast ? finish(bytes) : .needsMore
  }

  private mutating func begin(_ byte: UInt8) {
    fieldStart = at
    state = .plain
    guard byte == UInt8(ascii: "\"") else { return }
    fieldStart += 1
    at += 1
    state = .quoted
    hasDoubledQuotes = false
  }

  /// What follows a quote within quotes; false where it may not.
  private mutating func goOn(_ byte: UInt8) -> Bool {
    if byte == UInt8(ascii: "\"") {
      hasDoubledQuotes = true
      state = .quoted
      return true
    }
    if byte == delimiter {
      closeQuoted()
      state = .atFieldStart
      return true
    }
    guard byte == 0x0D, lineEnd == 0x0A else { return false }
    closeQuoted()
    state = .afterReturn
    return true
  }

  private mutating func close(_ end: Int) {
    fields.append(.init(range: fieldStart..<end))
    state = .atFieldStart
  }

  private mutating func closeQuoted() {
    fields.append(.init(range: fieldStart..<at - 1, hasDoubledQuotes: hasDoubledQuotes))
  }

  /// The record ends in a plain field, whose carriage return belongs to the line end.
  private mutating func end(_ bytes: Span<UInt8>, _ end: Int) -> Outcome {
    closeLast(bytes, end)
    return .record(length: end, isTerminated: true)
  }

  private mutating func closeLast(_ bytes: Span<UInt8>, _ end: Int) {
    let hasReturn = lineEnd == 0x0A && end > fieldStart && bytes[end - 1] == 0x0D
    close(hasReturn ? end - 1 : end)
  }

  /// The stream ends.
  private mutating func finish(_ bytes: Span<UInt8>) -> Outcome {
    switch state {
    case .atFieldStart where at == 0: return .nothing
    case .atFieldStart: fields.append(.init(range: at..<at))
    case .plain: closeLast(bytes, at)
    case .quoted: return .fault(.openQuote)
    case .afterQuote: closeQuoted()
    case .afterReturn: break
    }
    return .record(length: at, isTerminated: false)
  }
}
