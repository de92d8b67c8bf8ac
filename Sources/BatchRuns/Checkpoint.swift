public import DocumentIO

/// What a run has done so far.
public struct RunCounts: Sendable, Hashable, Codable {
  /// Documents that came out, rejects included.
  public var documents = 0
  /// Triples in them.
  public var triples = 0
  /// Records that could not be used.
  public var rejected = 0
  /// Inputs that could not be read, or not to their end.
  public var unread = 0

  /// Nothing yet.
  public init() {}
}

/// A record of the input, by where it begins.
public struct RunPosition: Sendable, Hashable, Codable {
  /// Which input, from 0.
  public var input: Int
  /// The line, from 1.
  public var line: Int
  /// The byte of the decompressed file, from 0.
  public var byte: Int

  /// A position.
  public init(input: Int, line: Int, byte: Int) {
    (self.input, self.line, self.byte) = (input, line, byte)
  }
}

/// A moment from which a run can be gone on with: all that came of the records up to `position` is
/// on the disk.
public struct Checkpoint: Sendable, Hashable, Codable {
  /// The last record that was written; nil before the first.
  public var position: RunPosition?
  /// What had been done.
  public var counts: RunCounts
  /// Seconds of work so far, those of earlier starts too.
  public var seconds: Double
  /// How often the run had been gone on with.
  public var resumptions: Int
  /// The output.
  public var output: OutputState
  /// The rejects, where they have a file.
  public var rejects: OutputState?
  /// The manifest, once all is written; what is left then is to give the files their names.
  public var manifest: String?
}
