import Foundation

@testable import DocumentIO

/// Every item of a file, or of a part of it.
func items(
  _ name: FileName, _ options: RecordReader.Options = .init(),
  extent: RecordReader.Extent = .whole, system: SystemCalls = .real
) throws -> [InputItem] {
  let reader = RecordReader(
    InputPart(InputFile(name), extent: extent), options: options, system: system,
    cancellation: Cancellation())
  var found: [InputItem] = []
  while let item = try reader.next() { found.append(item) }
  return found
}

/// Items as short lines: a text as it is, `!` before a reject's reason, `*` before a notice.
func shown(_ items: [InputItem]) -> [String] {
  items.map { item in
    switch item {
    case .record(let record): record.text
    case .reject(let reject): "! \(reject.reason)"
    case .notice(let notice): "\(notice.isFailure ? "*" : "-") \(notice)"
    }
  }
}

/// A buffer that is filled by pieces, as a file or pipe gives them.
struct Pieces {
  var pieces: ArraySlice<[UInt8]>
  var input = InputBuffer()

  init(_ pieces: [[UInt8]]) { self.pieces = pieces[...] }

  /// Puts the next piece in; false after the last.
  mutating func feed() -> Bool {
    if input.isAtEnd { return false }
    if let piece = pieces.popFirst() { input.append(piece) } else { input.isAtEnd = true }
    return true
  }
}

/// All ways to cut bytes into pieces.
func cuts(_ bytes: [UInt8]) -> [[[UInt8]]] {
  guard bytes.count > 1 else { return [[bytes]] }
  return (0..<1 << (bytes.count - 1)).map { mask in
    var pieces: [[UInt8]] = [[bytes[0]]]
    for index in 1..<bytes.count {
      if mask >> (index - 1) & 1 == 1 { pieces.append([]) }
      pieces[pieces.count - 1].append(bytes[index])
    }
    return pieces
  }
}

/// All strings of these characters up to a length.
func strings(_ characters: String, upTo length: Int) -> [[UInt8]] {
  var all: [[UInt8]] = [[]]
  var last: [[UInt8]] = [[]]
  for _ in 0..<length {
    last = last.flatMap { start in characters.utf8.map { start + [$0] } }
    all += last
  }
  return all
}
