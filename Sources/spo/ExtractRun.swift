internal import BatchRuns
internal import DocumentIO
internal import Foundation
internal import GlobalPointer
internal import RelationExtraction

/// One pass over the input: what the stream of extractions gives is written in input order.
struct ExtractRun {
  let extractor: RelationExtractor
  let batch: BatchOutput
  let formatter: ResultFormatter
  /// The most rejects that are borne.
  let maxRejects: Int?
  let progress: Progress?

  /// What there was when this start of the run ended.
  struct Summary: CustomStringConvertible {
    var counts: RunCounts
    /// Documents and seconds of this start alone.
    var documents = 0
    var seconds = 0.0

    var description: String {
      let rate = seconds > 0 ? Double(documents) / seconds : 0
      let unread = counts.unread > 0 ? "and \(counts.unread) inputs not read " : ""
      let before = counts.documents - documents
      let resumed = before > 0 ? ", \(before) of them before" : ""
      return "\(counts.documents) documents\(resumed), \(counts.triples) triples, "
        + "\(counts.rejected) rejected \(unread)in "
        + String(format: "%.1f s (%.0f documents/s)", seconds, rate)
    }
  }

  /// What has been done, and the last record of it.
  private struct Done {
    var counts: RunCounts
    var position: RunPosition?
  }

  /// - Parameter manifest: makes the manifest from the last checkpoint.
  func run(
    _ source: RecordSource, manifest: (Checkpoint) throws -> [UInt8]
  ) async throws -> Summary {
    let begin = ContinuousClock.now
    let before = batch.resumed?.counts ?? RunCounts()
    var done = Done(counts: before, position: batch.resumed?.position)
    do {
      if batch.resumed == nil { try await batch.output.append { formatter.appendHeader(to: &$0) } }
      try await writeAll(source, &done)
      if done.counts.documents == 0, done.counts.unread > 0 { throw RecordSource.nothingRead }
      try await batch.finish(done.position, done.counts, manifest: manifest)
    } catch {
      progress?.clear()
      // What has been written so far ends at a whole line; it is kept, whatever stopped the run.
      for sentence in batch.stop(done.position, done.counts) { Terminal.say(sentence) }
      throw error
    }
    progress?.clear()
    return Summary(
      counts: done.counts, documents: done.counts.documents - before.documents,
      seconds: (ContinuousClock.now - begin) / .seconds(1))
  }

  private func writeAll(_ source: RecordSource, _ done: inout Done) async throws {
    var extractions = extractor.extract(source) { $0.text }.makeAsyncIterator()
    while let extraction = try await extractions.next() {
      try await write(extraction, &done)
      // All that is there at a time, so that a reader of the pipe sees results as they come.
      guard !extractions.hasNext else { continue }
      try await batch.output.flush()
      progress?.update(done.counts, read: source.readBytes, of: source.totalBytes)
    }
  }

  private func write(_ extraction: Extraction<InputItem>, _ done: inout Done) async throws {
    switch (extraction.document, extraction.result) {
    case (.notice(let notice), _):
      Terminal.say(notice.description)
      if notice.isFailure { done.counts.unread += 1 }
    case (.reject(let reject), _): try await write(reject, &done)
    case (.record(let record), .success(let triples)):
      try await batch.output.append {
        formatter.append(record, triples, windows: extraction.windows, to: &$0)
      }
      done.counts.triples += triples.count
      try note(record.location, &done)
    case (.record(let record), .failure(let error)):
      try await write(Reject(record, reason: "\(error)"), &done)
    }
  }

  private func write(_ reject: Reject, _ done: inout Done) async throws {
    if let rejects = batch.rejects {
      try await rejects.append { appendReject(reject, to: &$0) }
    } else {
      var isShown = false
      try await batch.output.append { isShown = formatter.append(reject, to: &$0) }
      if !isShown { reject.say() }
    }
    done.counts.rejected += 1
    try note(reject.location, &done)
    guard let maxRejects, done.counts.rejected > maxRejects else { return }
    throw InputOutputError(
      .input, "more than \(maxRejects) records were rejected (--max-rejects)")
  }

  /// Takes note of a record of which all has been added to the outputs.
  private func note(_ location: SourceLocation, _ done: inout Done) throws {
    done.counts.documents += 1
    let position = RunPosition(input: location.part, line: location.line, byte: location.byte)
    done.position = position
    try batch.recordDone(position, done.counts)
  }
}

extension Reject {
  /// Tells it on the terminal, where there is no line for it elsewhere.
  func say() {
    Terminal.say(
      "\(terminalText(location.file)):\(location.line) (byte \(location.byte)): "
        + terminalText(reason))
  }
}
