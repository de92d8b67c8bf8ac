public import DocumentIO
internal import Foundation

/// The files that a run writes: output, rejects, and the journal by which it can be gone on with
/// after whatever ended it.
///
/// A checkpoint is written in the order output, fsync, journal, fsync, so that the disk holds all
/// that the journal tells of. What is written behind the last one is taken away when the run goes
/// on. A run whose output or inputs are no files has no journal.
///
/// Used by one task at a time.
public final class BatchOutput {
  /// How a run begins.
  public enum Start: Sendable {
    /// Anew; an unfinished run of the same output is refused.
    case new
    /// Where an unfinished one stopped; anew where there is none.
    case resumed
    /// Anew; an unfinished one is given up.
    case restarted
  }

  /// Records.
  public let output: OutputFile
  /// Records that cannot be used, where they have a file of their own.
  public let rejects: OutputFile?
  /// Where the run goes on; nil where it begins.
  public let resumed: Checkpoint?
  /// The manifest of the run that has ended already, where a finished one was to be resumed.
  public let finished: [UInt8]?

  private let names: Names
  private let pause: Duration
  private let system: SystemCalls
  private let journal: Journal?
  private let clock: @Sendable () -> ContinuousClock.Instant
  private let begin: ContinuousClock.Instant
  private var nextCheckpoint: ContinuousClock.Instant
  private var last: Checkpoint?
  /// Bytes of records before the member of a compressed output that is being filled.
  private var memberBegin = 0
  /// Whether no checkpoint may follow: one could not be made, and the disk may hold less than it
  /// says from then on; or the last one has been made.
  private var isClosed = false

  /// After so many bytes of records, those of both files together, a member of a compressed output ends.
  static let memberSize = 256 << 10
  /// The time between checkpoints is at least so many times that which the last one took: so they
  /// cost at most a fiftieth of a run.
  static let pauseFactor = 50

  /// The names of the files that a run to an output makes beside it; none where that is no file.
  public static func companions(of output: FileName) -> [FileName] {
    let names = Names(output: output)
    return OutputFile.isFile(output) ? [names.journal, names.manifest] : []
  }

  /// The files of a run.
  ///
  /// - Parameters:
  ///   - output: where records go, `-` being standard output.
  ///   - rejects: where records go that cannot be used; nil where they go to `output`.
  ///   - identity: what the run is; nil of a run that cannot be gone on with.
  ///   - pause: the shortest time between checkpoints.
  /// - Throws: `InputOutputError`: `.conflict` where an unfinished run is in the way, or is not the
  ///   same as this one; `.output`.
  public convenience init(
    output: FileName, rejects: FileName?, identity: RunIdentity?, start: Start,
    pause: Duration = .seconds(1)
  ) throws {
    try self.init(
      output: output, rejects: rejects, identity: identity, start: start, pause: pause,
      system: .real, clock: { .now })
  }

  package init(
    output name: FileName, rejects rejectsName: FileName?, identity: RunIdentity?, start: Start,
    pause: Duration = .seconds(1), system: SystemCalls,
    clock: @escaping @Sendable () -> ContinuousClock.Instant
  ) throws {
    (self.pause, self.system, self.clock) = (pause, system, clock)
    output = try OutputFile(name, system: system)
    rejects = try rejectsName.map { try OutputFile($0, system: system) }
    names = Names(output: name, rejects: rejectsName)
    begin = clock()
    nextCheckpoint = begin + pause
    guard let identity, output.isFile, rejects?.isFile != false else {
      (journal, resumed, finished) = (nil, nil, nil)
      if output.isFile { try RunOpening.requireNone(names, start, system) }
      return
    }
    let opening = RunOpening(names: names, identity: identity, system: system)
    let opened = try opening.open(start)
    (journal, resumed, finished) = (opened.journal, opened.checkpoint, opened.manifest)
    last = resumed
    try output.beginDigest()
    try rejects?.beginDigest()
    guard let resumed else { return }
    if resumed.manifest == nil || !RunOpening.isPublished(names.output, resumed.output, system) {
      try output.reopen(at: resumed.output)
    }
    if let rejects, let name = names.rejects, let state = resumed.rejects,
      resumed.manifest == nil || !RunOpening.isPublished(name, state, system)
    {
      try rejects.reopen(at: state)
    }
  }

  /// Whether the run can be gone on with when it is stopped.
  public var isResumable: Bool { journal != nil }

  /// To be called when all that came of a record has been added; makes a checkpoint when it is
  /// time.
  ///
  /// - Parameters:
  ///   - position: the record.
  ///   - counts: with it.
  public func recordDone(_ position: RunPosition, _ counts: RunCounts) throws {
    if output.isCompressed || rejects?.isCompressed == true {
      // Members end after so many bytes, not after so much time: the same records give the same.
      let added = output.added + (rejects?.added ?? 0)
      guard added - memberBegin >= Self.memberSize else { return }
      memberBegin = added
      try output.endMember()
      try rejects?.endMember()
    }
    guard journal != nil, clock() >= nextCheckpoint else { return }
    try makeCheckpoint(position, counts)
  }

  private func makeCheckpoint(_ position: RunPosition?, _ counts: RunCounts) throws {
    let start = clock()
    do {
      let checkpoint = try checkpoint(position, counts)
      try journal?.add(checkpoint)
      last = checkpoint
    } catch {
      isClosed = true
      throw error
    }
    let now = clock()
    nextCheckpoint = now + max(pause, (now - start) * Self.pauseFactor)
  }

  private func checkpoint(_ position: RunPosition?, _ counts: RunCounts) throws -> Checkpoint {
    Checkpoint(
      position: position, counts: counts, seconds: seconds,
      resumptions: (resumed?.resumptions ?? -1) + 1, output: try output.seal(),
      rejects: try rejects?.seal(), manifest: nil)
  }

  /// Seconds of work so far, those of earlier starts too.
  public var seconds: Double { (resumed?.seconds ?? 0) + (clock() - begin).seconds }

  /// Gives the files their names, writes the manifest beside the output, and ends the journal.
  ///
  /// - Parameters:
  ///   - position: the last record.
  ///   - manifest: makes the manifest's JSON from what has become of the files.
  /// - Returns: the state of the output and of the rejects.
  public func finish(
    _ position: RunPosition?, _ counts: RunCounts, manifest: (Checkpoint) throws -> [UInt8]
  ) async throws {
    guard let journal else {
      try await output.finish()
      try await rejects?.finish()
      // That of an earlier run would tell of what is there no more.
      if output.isFile { try? system.unlink(names.manifest) }
      return
    }
    var checkpoint = try checkpoint(position, counts)
    checkpoint.manifest = String(decoding: try manifest(checkpoint), as: UTF8.self)
    isClosed = true
    try journal.add(checkpoint)
    try publish(checkpoint, journal)
  }

  /// Does what is left of a run of which all is written.
  public func publishResumed() throws {
    if let journal, let resumed, resumed.manifest != nil { try publish(resumed, journal) }
  }

  private func publish(_ checkpoint: Checkpoint, _ journal: Journal) throws {
    if !RunOpening.isPublished(names.output, checkpoint.output, system) { try output.publish() }
    if let rejects, let name = names.rejects, let state = checkpoint.rejects,
      !RunOpening.isPublished(name, state, system)
    {
      try rejects.publish()
    }
    try OutputFile.write(
      Array((checkpoint.manifest ?? "").utf8), to: names.manifest, system: system)
    try journal.synchronizeDirectory()
    try journal.remove()
  }

  /// Ends a run that was stopped: what it did is kept for `--resume`, or else in FILE.partial.
  ///
  /// - Returns: a sentence for each thing that is kept.
  public func stop(_ position: RunPosition?, _ counts: RunCounts) -> [String] {
    guard journal != nil else {
      return [output, rejects].compactMap { $0?.keepPartial() }.map {
        "what was written so far is kept in \(terminalText($0.text))"
      }
    }
    // Of a compressed output the last member was ended by bytes: the run must end it there again.
    let isPlain = !output.isCompressed && rejects?.isCompressed != true
    if isPlain, !isClosed { try? makeCheckpoint(position, counts) }
    let documents = last?.counts.documents ?? 0
    return ["\(documents) documents are kept; the same command with --resume goes on behind them"]
  }
}

extension Duration {
  var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
