internal import DocumentIO
internal import GlobalPointer
internal import Foundation
internal import RelationExtraction

/// One pass over the input: what the stream of extractions gives is written in input order.
struct ExtractRun {
  private let extractor: RelationExtractor
  private let output: OutputFile
  private let formatter: ResultFormatter
  private let rejects: RejectWriter
  private let progress: Progress?

  struct Summary: CustomStringConvertible {
    var records = 0
    var triples = 0
    var rejected = 0
    /// Inputs that could not be read, or not to their end.
    var unread = 0
    var seconds = 0.0

    var description: String {
      let rate = seconds > 0 ? Double(records) / seconds : 0
      let unread = unread > 0 ? "and \(unread) inputs not read " : ""
      return "\(records) documents, \(triples) triples, \(rejected) rejected \(unread)in "
        + String(format: "%.1f s (%.0f documents/s)", seconds, rate)
    }
  }

  init(
    extractor: RelationExtractor, output path: String, format: ResultFormat?, unit: OffsetUnit,
    isForExcel: Bool, rejects: String?, maxRejects: Int?, showsProgress: Bool
  ) throws {
    self.extractor = extractor
    output = try OutputFile(FileName(argument: path))
    let format = format ?? (output.isTerminal ? .pretty : .jsonl)
    formatter = ResultFormatter(
      format: format, unit: unit, color: output.isTerminal && Terminal.allowsColor,
      isForExcel: isForExcel)
    self.rejects = try RejectWriter(path: rejects, limit: maxRejects)
    progress = showsProgress && !output.isTerminal ? Progress() : nil
  }

  func run(_ source: RecordSource) async throws -> Summary {
    let begin = ContinuousClock.now
    var summary = Summary()
    do {
      try await output.append { formatter.appendHeader(to: &$0) }
      try await writeAll(source, &summary)
      if summary.records == 0, summary.unread > 0 {
        throw InputOutputError(.input, "nothing could be read; see above")
      }
      try await output.finish()
      try await rejects.finish()
    } catch {
      progress?.clear()
      // What has been written so far ends at a whole line; it is kept, whatever stopped the run.
      output.sayWhatIsKept()
      rejects.keep()
      throw error
    }
    progress?.clear()
    let elapsed = (ContinuousClock.now - begin).components
    summary.seconds = Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
    return summary
  }

  private func writeAll(_ source: RecordSource, _ summary: inout Summary) async throws {
    var extractions = extractor.extract(source) { $0.text }.makeAsyncIterator()
    while let extraction = try await extractions.next() {
      try await write(extraction, &summary)
      // All that is there at a time, so that a reader of the pipe sees results as they come.
      guard !extractions.hasNext else { continue }
      try await output.flush()
      progress?.update(summary, read: source.readBytes, of: source.totalBytes)
    }
  }

  private func write(_ extraction: Extraction<InputItem>, _ summary: inout Summary) async throws {
    switch (extraction.document, extraction.result) {
    case (.notice(let notice), _):
      Terminal.say(notice.description)
      if notice.isFailure { summary.unread += 1 }
    case (.reject(let reject), _): try await write(reject, &summary)
    case (.record(let record), .success(let triples)):
      summary.records += 1
      summary.triples += triples.count
      try await output.append {
        formatter.append(record, triples, windows: extraction.windows, to: &$0)
      }
    case (.record(let record), .failure(let error)):
      try await write(Reject(record, reason: "\(error)"), &summary)
    }
  }

  private func write(_ reject: Reject, _ summary: inout Summary) async throws {
    summary.records += 1
    summary.rejected += 1
    if rejects.hasFile {
      try await rejects.write(reject)
    } else {
      var isShown = false
      try await output.append { isShown = formatter.append(reject, to: &$0) }
      if !isShown { RejectWriter.say(reject) }
    }
    try rejects.count()
  }
}
