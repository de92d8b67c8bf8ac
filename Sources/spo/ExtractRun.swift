internal import DocumentIO
internal import GlobalPointer
internal import Foundation
internal import RelationExtraction

/// One pass over the input: what the stream of extractions gives is written in input order.
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
      format: format, unit: unit, colour: output.isTerminal && Terminal.allowsColor)
    self.rejects = try RejectWriter(path: rejects, limit: maxRejects)
    progress = showsProgress && !output.isTerminal ? Progress() : nil
  }

  func run(_ source: RecordSequence) async throws -> Summary {
    let begin = ContinuousClock.now
    var summary = Summary()
    try output.append { formatter.appendHeader(to: &$0) }
    do {
      try await writeAll(source, &summary)
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

  private func writeAll(_ source: RecordSequence, _ summary: inout Summary) async throws {
    var extractions = extractor.extract(source) { $0.text }.makeAsyncIterator()
    while let extraction = try await extractions.next() {
      try write(extraction, &summary)
      // All that is there at a time, so that a reader of the pipe sees results as they come.
      guard !extractions.hasNext else { continue }
      try output.flush()
      progress?.update(summary, read: source.readBytes, of: source.totalBytes)
    }
  }

  private func write(_ extraction: Extraction<InputItem>, _ summary: inout Summary) throws {
    summary.records += 1
    switch (extraction.document, extraction.result) {
    case (.reject(let reject), _): try write(reject, &summary)
    case (.record(let record), .success(let triples)):
      summary.triples += triples.count
      try output.append {
        formatter.append(record, triples, windows: extraction.windows, to: &$0)
      }
    case (.record(let record), .failure(let error)):
      let raw = Array(record.text.utf8)
      try write(Reject(location: record.location, reason: "\(error)", raw: raw), &summary)
    }
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
