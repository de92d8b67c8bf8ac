public import GlobalPointer
public import Inference

/// What one document gave.
public struct Extraction: Sendable {
  /// The document's place in the input, from 0.
  public let index: Int
  /// Its text, as it was given.
  public let text: String
  /// Its triples in the order of `Triple.precedes`, or why it has none.
  public let result: Result<[Triple], InferenceError>
  /// In how many windows it was read; more than 1 for texts longer than the model takes.
  public let windows: Int

  /// The triples, or the error thrown.
  public var triples: [Triple] {
    get throws { try result.get() }
  }
}
