/// Why logits cannot be decoded.
public enum DecodeError: Error, Hashable, CustomStringConvertible {
  /// A NaN or an infinity in a cell that decoding reads.
  case notFinite(tensor: String, head: Int, row: Int, column: Int, value: Float)
  /// More triples than the limit: the threshold is far too low, or the model is broken.
  case tooManyTriples(limit: Int, threshold: Float)
  /// The logits' shape does not fit.
  case shape(tensor: String, expected: [Int], got: [Int])

  /// What was found and what to do.
  public var description: String {
    switch self {
    case .notFinite(let tensor, let head, let row, let column, let value):
      "\(tensor)[\(head), \(row), \(column)] is \(value), expected a finite logit; the model "
        + "overflows (an FP16 export whose mask is multiplied by 1e12 does): export it again "
        + "with a finite mask"
    case .tooManyTriples(let limit, let threshold):
      "one sentence gives more than \(limit) triples above \(threshold); raise the threshold, "
        + "or check that the model is trained"
    case .shape(let tensor, let expected, let got):
      "\(tensor) has shape \(got), expected \(expected)"
    }
  }
}
