public import GlobalPointer
public import Inference

/// One document and what it gave.
public struct Extraction<Document: Sendable>: Sendable {
  /// The document's place in the input, from 0.
  public let index: Int
  /// The document as it was given.
  public let document: Document
  /// Its triples in the order of `Triple.precedes`, or why it has none.
  public let result: Result<[Triple], InferenceError>
  /// In how many windows it was read: more than 1 for texts longer than the model takes, 0 for a
  /// document without a text.
  public let windows: Int

  /// An extraction, for programs that test what they do with one.
  public init(
    index: Int, document: Document, result: Result<[Triple], InferenceError>, windows: Int = 1
  ) {
    (self.index, self.document, self.result, self.windows) = (index, document, result, windows)
  }

  /// The triples, or the error thrown.
  public var triples: [Triple] {
    get throws(InferenceError) { try result.get() }
  }
}
