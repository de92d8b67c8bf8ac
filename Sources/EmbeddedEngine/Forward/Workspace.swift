internal import Tensors

/// The scratch memory of one worker; it grows to the largest batch seen and stays.
final class Workspace {
  let hidden = FloatBuffer()
  let query = FloatBuffer()
  let key = FloatBuffer()
  let value = FloatBuffer()
  let context = FloatBuffer()
  let projected = FloatBuffer()
  let intermediate = FloatBuffer()
  let scores = FloatBuffer()
  let scratch = FloatBuffer()
  let rowFeatures = FloatBuffer()
  let columnFeatures = FloatBuffer()
  let gathered = FloatBuffer()
  let pointer = FloatBuffer()
}

/// Sentences laid one after the other in the rows of a matrix.
struct PackedSentences {
  let ids: [Int32]
  /// Where each sentence begins, and the end.
  let rows: [Int]

  var tokenCount: Int { ids.count }
  var longest: Int { zip(rows, rows.dropFirst()).map { $1 - $0 }.max() ?? 0 }
}
