import Foundation
import WordPiece

/// Encodes every line of a file, ids and offsets, on one thread. Arguments: VOCABULARY FILE.
final class TokenizerBenchmark: Benchmark {
  private let tokenizer: BertTokenizer
  private let lines: [String]
  private var batch = EncodingBatch()

  init(_ arguments: [String]) throws {
    let vocabulary = try Vocabulary(contentsOf: URL(fileURLWithPath: arguments[0]))
    tokenizer = BertTokenizer(vocabulary: vocabulary)
    let text = try String(contentsOfFile: arguments[1], encoding: .utf8)
    lines = text.split(separator: "\n").map { String($0) }
  }

  /// A thousand lines at a time into one reused batch, as a batch job would.
  func pass() {
    var tokens = 0
    for at in stride(from: 0, to: lines.count, by: 1_000) {
      tokenizer.encode(lines[at..<min(at + 1_000, lines.count)], into: &batch)
      tokens += batch.tokenCount
    }
    precondition(tokens >= 2 * lines.count)
  }

  var stages: String { "one" }

  /// For each line: its token count, then id, start and end of each; little-endian 32-bit.
  func results() -> Data {
    var out: [UInt32] = []
    for line in lines {
      let encoding = tokenizer.encode(line)
      out.append(UInt32(encoding.ids.count))
      for (id, range) in zip(encoding.ids, encoding.offsets) {
        out += [UInt32(id), UInt32(range.lowerBound), UInt32(range.upperBound)]
      }
    }
    return out.withUnsafeBytes { Data($0) }
  }
}
