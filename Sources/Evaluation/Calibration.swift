internal import Foundation

/// How well sigmoid(score / temperature) tells the chance that a triple is right.
///
/// Temperature scaling: Guo et al., "On Calibration of Modern Neural Networks", 2017.
public struct Calibration: Sendable {
  /// Predictions of like confidence.
  public struct Bin: Sendable, Hashable {
    /// Confidences in it.
    public var range: Range<Double>
    /// How many predictions it has.
    public var count = 0
    /// Their mean confidence.
    public var confidence = 0.0
    /// The share of them that is right.
    public var right = 0.0
  }

  /// A prediction's score and whether it is right.
  public typealias Sample = (score: Double, isRight: Bool)

  /// What the scores were divided by.
  public let temperature: Double
  /// Ten bins of equal width.
  public let bins: [Bin]
  /// Mean distance of confidence and share over the bins, weighted by their counts (ECE).
  public let error: Double

  /// The bins at a temperature.
  public init(_ samples: [Sample], temperature: Double = 1) {
    self.temperature = temperature
    var bins = (0..<10).map { Bin(range: Double($0) / 10..<Double($0 + 1) / 10) }
    for sample in samples {
      let confidence = Self.sigmoid(sample.score / temperature)
      let place = min(9, Int(confidence * 10))
      bins[place].count += 1
      bins[place].confidence += confidence
      bins[place].right += sample.isRight ? 1 : 0
    }
    for place in bins.indices where bins[place].count > 0 {
      bins[place].confidence /= Double(bins[place].count)
      bins[place].right /= Double(bins[place].count)
    }
    self.bins = bins
    let all = Double(max(1, samples.count))
    error = bins.reduce(0) { $0 + Double($1.count) / all * abs($1.confidence - $1.right) }
  }

  /// The temperature at which the samples are most likely; nil when all are right or all are wrong.
  ///
  /// - Throws: `CancellationError` when the task is cancelled.
  public static func fittedTemperature(_ samples: [Sample]) throws -> Double? {
    guard samples.contains(where: \.isRight), samples.contains(where: { !$0.isRight }) else {
      return nil
    }
    func loss(_ logTemperature: Double) throws -> Double {
      try Task.checkCancellation()
      let temperature = exp(logTemperature)
      return samples.reduce(0) { sum, sample in
        let logit = (sample.isRight ? 1 : -1) * sample.score / temperature
        // log(1 + exp(-logit)), safe at both ends.
        return sum + max(-logit, 0) + log1p(exp(-abs(logit)))
      }
    }
    return exp(try minimum(of: loss, between: log(0.05), and: log(20)))
  }

  /// Golden-section search of a function with one minimum.
  private static func minimum(
    of function: (Double) throws -> Double, between low: Double, and high: Double
  ) rethrows -> Double {
    let ratio = (5.0.squareRoot() - 1) / 2
    var (low, high) = (low, high)
    while high - low > 1e-4 {
      let (a, b) = (high - ratio * (high - low), low + ratio * (high - low))
      if try function(a) < function(b) { high = b } else { low = a }
    }
    return (low + high) / 2
  }

  private static func sigmoid(_ value: Double) -> Double { 1 / (1 + exp(-value)) }
}

extension Match {
  /// The highest score of each predicted triple that counts, and whether it is right.
  var samples: [Calibration.Sample] {
    var scores = [Double?](repeating: nil, count: predicted.count)
    for (index, score) in said {
      if let score { scores[index] = max(scores[index] ?? score, score) }
    }
    return kept.compactMap { index in scores[index].map { ($0, isRight[index]) } }
  }
}
