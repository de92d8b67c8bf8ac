internal import Foundation

/// One line of the benchmark: a number of requests in flight.
struct BenchPoint: Encodable {
  var inFlight: Int
  var sentencesPerSecond: Double
  var p50Milliseconds: Double
  var p90Milliseconds: Double
  var p99Milliseconds: Double
  /// Mean time of a request at the server, and what is left of its latency: wire and client.
  var queueMilliseconds: Double
  var computeMilliseconds: Double
  var outsideMilliseconds: Double
  var serverBatch: Double
  var sentBytesPerSentence: Double
  var receivedBytesPerSentence: Double
  var clientMicrosecondsPerSentence: Double
  var requests: Int
  var isStable: Bool
}

/// The whole benchmark.
struct BenchReport: Encodable {
  var server: String
  var model: String
  var route: String
  var sentences: Int
  var tokensPerSentence: Double
  var paddedCells: Double
  var points: [BenchPoint]
  /// The bound on p99 that was asked for, and the best point below it.
  var bound: Double?
  var best: BenchPoint?

  /// The fastest point, of those below the bound where there is one.
  static func best(_ points: [BenchPoint], bound: Double?) -> BenchPoint? {
    points.filter { bound == nil || $0.p99Milliseconds <= bound! }  // nil was looked at before
      .max { $0.sentencesPerSecond < $1.sentencesPerSecond }
  }

  var text: String {
    var table = Table(
      "IN FLIGHT", "SENTENCES/S", "P50 MS", "P90 MS", "P99 MS", "QUEUE MS", "COMPUTE MS",
      "OUTSIDE MS", "BATCH", "SENT B", "RECEIVED B", "CLIENT µS", "")
    for point in points {
      let numbers = [
        point.sentencesPerSecond, point.p50Milliseconds, point.p90Milliseconds,
        point.p99Milliseconds, point.queueMilliseconds, point.computeMilliseconds,
        point.outsideMilliseconds, point.serverBatch,
      ].map { String(format: "%.1f", $0) }
      let perSentence = [
        point.sentBytesPerSentence, point.receivedBytesPerSentence,
        point.clientMicrosecondsPerSentence,
      ].map { String(format: "%.0f", $0) }
      table.rows.append(
        ["\(point.inFlight)"] + numbers + perSentence + [point.isStable ? "" : "unstable"])
    }
    return [
      "\(model) at \(server) by \(route): \(sentences) sentences of "
        + String(format: "%.0f tokens, padded cells %.2fx", tokensPerSentence, paddedCells),
      table.description, verdict,
    ].joined(separator: "\n\n")
  }

  private var verdict: String {
    let condition = bound.map { " with p99 below \($0) ms" } ?? ""
    guard let best else { return "no point\(condition)" }
    return String(
      format:
        "most throughput\(condition): %.0f sentences/s at \(best.inFlight) in flight, p99 %.1f ms",
      best.sentencesPerSecond, best.p99Milliseconds)
  }

  var json: String {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      encoder.keyEncodingStrategy = .convertToSnakeCase
      return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
  }
}
