internal import DocumentIO
internal import GlobalPointer
internal import Foundation
internal import Inference
internal import RelationExtraction

/// One pass over the input: a few records are read, extracted together and written in input
/// order. Only those few are in memory.
struct ExtractRun {
  private let extractor: RelationExtractor
  private let output: OutputSink
  private let formatter: ResultFormatter
  private let rejects: RejectWriter
  private let progress: Progress?

  struct Summary: CustomStringConvertible {
    var records = 0
    var triples = 0
    var rejected = 0
    var seconds = 0.0

    var description: String {
      let rate = seconds > 0 ? Double(records) / seconds : 0
      return "\(records) documents, \(triples) triples, \(rejected) rejected in "
        + String(format: "%.1f s (%.0f documents/s)", seconds, rate)
    }
  }

  init(
    extractor: RelationExtractor, output path: String, format: ResultFormat?, unit: OffsetUnit,
    rejects: String?, maxRejects: Int?, showsProgress: Bool
  ) throws {
    self.extractor = extractor
    output = try OutputSink(path: path)
    let format = format ?? (output.isTerminal ? .pretty : .jsonl)
    formatter = ResultFormatter(
      format: format, unit: unit, colour: output.isTerminal && Terminal.allowsColour)
    self.rejects = try RejectWriter(path: rejects, limit: maxRejects)
    progress = showsProgress && !output.isTerminal ? Progress() : nil
  }

  func run(_ source: inout RecordSource) async throws -> Summary {
    let begin = ContinuousClock.now
    var summary = Summary()
    try output.append { formatter.appendHeader(to: &$0) }
    do {
      try await readAll(&source, &summary)
      try output.flush()
    } catch {
      progress?.clear()
      // What has been written so far ends at a whole line; it is kept, whatever stopped the run.
      try? output.flush()
      try? rejects.flush()
      throw error
    }
    progress?.clear()
    try rejects.flush()
    let elapsed = (ContinuousClock.now - begin).components
    summary.seconds = Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
    return summary
  }

  /// Two chunks are on their way at once, so that the engine has work while the next is read and
  /// the last is written; but nothing that is done waits for input that has not come.
  private func readAll(_ source: inout RecordSource, _ summary: inout Summary) async throws {
    let work = OrderedWork<Chunk>()
    let most = max(1, extractor.configuration.lookAhead / 2)
    // Small at first, so that the first answers come soon.
    var (size, isAtEnd) = (min(16, most), false)
    var failure: (any Error)?
    while true {
      if !isAtEnd, work.count == 0 || work.count < 2 && !source.wouldWait {
        let items = chunk(&source, size, &failure)
        // What was read before the input failed is still extracted and written.
        isAtEnd = items.isEmpty || failure != nil
        if !items.isEmpty { begin(items, work) }
        size = min(2 * size, most)
        continue
      }
      guard let done = try await work.next() else { break }
      try write(done, &summary)
      progress?.update(summary, read: source.readBytes, of: source.totalBytes)
    }
    if let failure { throw failure }
  }

  private struct Chunk: Sendable {
    let items: [InputItem]
    let extractions: [Extraction]
  }

  private func begin(_ items: [InputItem], _ work: OrderedWork<Chunk>) {
    let extractor = extractor
    work.begin {
      let texts = items.compactMap { item in
        if case .record(let record) = item { record.text } else { nil }
      }
      let extractions = try await extractor.extract(batch: texts, firstIndex: 0)
      return Chunk(items: items, extractions: extractions)
    }
  }

  /// The next records: at most `size`, and no more than have come when the input is a slow pipe.
  private func chunk(
    _ source: inout RecordSource, _ size: Int, _ failure: inout (any Error)?
  ) -> [InputItem] {
    var items: [InputItem] = []
    var bytes = 0
    func next(_ source: inout RecordSource) -> InputItem? {
      do {
        return try source.next()
      } catch {
        failure = error
        return nil
      }
    }
    while items.count < size, bytes < extractor.configuration.lookAheadBytes / 2,
      items.isEmpty || !source.wouldWait, let item = next(&source)
    {
      switch item {
      case .record(let record): bytes += record.text.utf8.count
      case .reject(let reject): bytes += reject.raw.count
      }
      items.append(item)
    }
    return items
  }

  private func write(_ chunk: Chunk, _ summary: inout Summary) throws {
    var extractions = chunk.extractions[...]
    for item in chunk.items {
      summary.records += 1
      switch item {
      case .reject(let reject): try write(reject, &summary)
      case .record(let record):
        guard let extraction = extractions.popFirst() else { continue }
        switch extraction.result {
        case .success(let triples):
          summary.triples += triples.count
          try output.append {
            formatter.append(record, triples, windows: extraction.windows, to: &$0)
          }
        case .failure(let error):
          let raw = Array(record.text.utf8)
          try write(
            Reject(location: record.location, reason: "\(error)", raw: raw), &summary)
        }
      }
    }
    // A whole chunk at a time, so that a reader of the pipe sees results as they come.
    try output.flush()
  }

  private func write(_ reject: Reject, _ summary: inout Summary) throws {
    summary.rejected += 1
    if rejects.hasFile {
      try rejects.write(reject)
    } else {
      var isShown = false
      try output.append { isShown = formatter.append(reject, to: &$0) }
      if !isShown { RejectWriter.say(reject) }
    }
    try rejects.count()
  }
}
