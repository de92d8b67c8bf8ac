public import DocumentIO
internal import Foundation

/// What proves a finished run: what it read, with what, and what came of it.
///
/// `FILE.manifest.json` beside the output FILE holds it; fields that are not named here tell more
/// and prove nothing.
public struct RunManifest: Sendable, Hashable {
  /// What decided the output's bytes.
  public var identity: RunIdentity
  /// What of the inputs it read, in order.
  public var extents: [ExtentRead]
  /// What was done.
  public var counts: RunCounts
  /// The output file.
  public var output: OutputState
  /// The rejects' file, and what is in it.
  public var rejects: RejectFile?
  /// Seconds of work, all starts together.
  public var seconds: Double
  /// How often the run was gone on with.
  public var resumptions: Int
  /// Whether another run gives the same bytes, not only the same triples: a server's last digits
  /// may depend on which sentences it reads together.
  public var isDeterministic: Bool

  /// A part of an input: the records that begin in these bytes of it, decompressed.
  public struct ExtentRead: Sendable, Hashable, Codable {
    /// Which input, from 0.
    public var input: Int
    /// The first byte.
    public var start: Int
    /// The byte behind the last; nil at the input's end.
    public var end: Int?

    /// A part.
    public init(input: Int, start: Int, end: Int?) {
      (self.input, self.start, self.end) = (input, start, end)
    }
  }

  /// A file of rejects.
  public struct RejectFile: Sendable, Hashable, Codable {
    /// Its name, beside the manifest.
    public var file: String
    /// What is in it.
    public var state: OutputState

    /// A file.
    public init(file: String, state: OutputState) { (self.file, self.state) = (file, state) }
  }

  /// A manifest.
  public init(
    identity: RunIdentity, extents: [ExtentRead], checkpoint: Checkpoint, rejects: FileName?,
    isDeterministic: Bool
  ) {
    (self.identity, self.extents) = (identity, extents)
    (counts, output) = (checkpoint.counts, checkpoint.output)
    self.rejects = rejects.flatMap { name in
      checkpoint.rejects.map { RejectFile(file: name.lastComponent.text, state: $0) }
    }
    (seconds, resumptions) = (checkpoint.seconds, checkpoint.resumptions)
    self.isDeterministic = isDeterministic
  }

  /// Reads one.
  ///
  /// - Throws: `InputOutputError` for what is none, or of a later version.
  public init(_ json: [UInt8], _ name: FileName) throws(InputOutputError) {
    do {
      let fields = try JSONDecoder().decode(Fields.self, from: Data(json))
      guard fields.manifest_version <= Self.version else { throw CocoaError(.featureUnsupported) }
      self = fields.manifest
    } catch {
      throw InputOutputError(
        .input, "\(terminalText(name.text)) is no manifest of a run that this program can read")
    }
  }

  /// The version that is written.
  public static let version = 1

  /// It as a JSON object, with more fields that tell what else is known.
  public func json(with more: [String: Any]) throws -> [UInt8] {
    let own = try JSONSerialization.jsonObject(with: JSONEncoder().encode(Fields(self)))
    let fields = (own as? [String: Any] ?? [:]).merging(more) { own, _ in own }
    let options: JSONSerialization.WritingOptions = [
      .prettyPrinted, .sortedKeys, .withoutEscapingSlashes,
    ]
    return [UInt8](try JSONSerialization.data(withJSONObject: fields, options: options)) + [0x0A]
  }
}

/// A manifest's fields as they are named in JSON.
private struct Fields: Codable {
  var manifest_version: Int
  var program: String
  var inputs: [InputIdentity]
  var extents: [RunManifest.ExtentRead]
  var shard: Shard?
  var model: [String: String]
  var options: [String: String]
  var documents: Int
  var triples: Int
  var rejected: Int
  var inputs_not_read: Int
  var output: OutputState
  var rejects: RunManifest.RejectFile?
  var seconds: Double
  var resumptions: Int
  var deterministic: Bool

  init(_ manifest: RunManifest) {
    manifest_version = RunManifest.version
    let identity = manifest.identity
    (program, inputs, shard) = (identity.program, identity.inputs, identity.shard)
    (model, options, extents) = (identity.model, identity.options, manifest.extents)
    let counts = manifest.counts
    (documents, triples) = (counts.documents, counts.triples)
    (rejected, inputs_not_read) = (counts.rejected, counts.unread)
    (output, rejects) = (manifest.output, manifest.rejects)
    (seconds, resumptions) = (manifest.seconds, manifest.resumptions)
    deterministic = manifest.isDeterministic
  }

  var manifest: RunManifest {
    var counts = RunCounts()
    (counts.documents, counts.triples) = (documents, triples)
    (counts.rejected, counts.unread) = (rejected, inputs_not_read)
    let checkpoint = Checkpoint(
      position: nil, counts: counts, seconds: seconds, resumptions: resumptions, output: output,
      rejects: rejects?.state, manifest: nil)
    let identity = RunIdentity(
      program: program, inputs: inputs, shard: shard, model: model, options: options)
    return RunManifest(
      identity: identity, extents: extents, checkpoint: checkpoint, rejects: rejects.map { FileName($0.file) },
      isDeterministic: deterministic)
  }
}
