internal import Inference
internal import Triton

extension TritonEngine.Configuration {
  /// Refuses numbers that no engine can be made of.
  func check() throws {
    let least = [("answerBytes", answerBytes), ("memory", memory), ("serverBytes", serverBytes)]
    for (name, value) in least where value < 1 {
      throw TritonError(
        code: .invalidRequest, message: "\(name) is \(value), expected at least one byte")
    }
    let allowed = SizeBounds.chosenInFlight
    guard let concurrency, !allowed.contains(concurrency) else { return }
    throw TritonError(
      code: .invalidRequest,
      message:
        "concurrency is \(concurrency), expected \(allowed.lowerBound)...\(allowed.upperBound)")
  }
}

extension ModelContract {
  /// Refuses a model of which not even one longest sentence fits an answer.
  func requireRoom(for shape: ModelShape, within answerBytes: Int) throws {
    // A model of fixed length answers with all of it, however short the sentence.
    let longest = tokens ?? shape.maximumTokens
    let bytes = self.answerBytes(tokens: longest, predicates: shape.predicateCount)
    let limit = min(answerBytes, Int(Int32.max))
    guard bytes > limit else { return }
    throw TritonError(
      code: .size,
      message: "one sentence of \(longest) tokens gives an answer of \(bytes) bytes, the limit is "
        + "\(limit)",
      remedy: "use shorter windows, a larger limit (below 2^31) or a compact model")
  }
}
