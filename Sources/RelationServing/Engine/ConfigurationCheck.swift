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
