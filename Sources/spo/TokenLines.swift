internal import DocumentIO
internal import GlobalPointer
internal import WordPiece

/// Writes the lines of `spo tokenize` about as fast as tokens are made: what each id and each token
/// of a vocabulary look like is made once, and offsets are counted along the text.
struct TokenLines {
  private let unit: OffsetUnit
  /// What stands between the tokens and the offsets.
  private let middle: String
  private let ids: Forms
  private let tokens: Forms
  private var room: [UInt8] = []

  init(_ vocabulary: Vocabulary, _ unit: OffsetUnit) {
    self.unit = unit
    middle = "], \"offset_unit\": \"\(unit.rawValue)\", \"offsets\": ["
    ids = Forms(vocabulary.tokens.indices) { $1.append(contentsOf: "\($0)".utf8) }
    tokens = Forms(vocabulary.tokens) { appendJSON($0, to: &$1) }
  }

  /// Appends the line of a batch's first row, whose text is given.
  mutating func append(_ batch: EncodingBatch, _ text: String, to out: inout [UInt8]) {
    let row = 0..<batch.rowStarts[1]
    let numbers = batch.ids[row]
    let needed =
      256 + ids.byteCount(numbers) + tokens.byteCount(numbers) + row.count * LineWriter.widestPair
    if room.count < needed { room = Array(repeating: 0, count: 2 * needed) }
    let ranges = zip(batch.starts[row], batch.ends[row])
    var text = text
    let count = room.withUnsafeMutableBytes { room in
      var line = LineWriter(room: room)
      line.put("{\"ids\": [")
      line.put(numbers, ids)
      line.put("], \"tokens\": [")
      line.put(numbers, tokens)
      line.put(middle)
      text.withUTF8 { line.put(ranges, OffsetWalk($0, unit)) }
      line.put("]")
      if batch.droppedTokens[0] > 0 { line.put(", \"dropped\": \(batch.droppedTokens[0])") }
      line.put("}\n")
      return line.count
    }
    out.append(contentsOf: room[..<count])
  }
}
