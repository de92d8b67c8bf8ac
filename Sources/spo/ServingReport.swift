internal import Foundation
internal import RelationExtraction
internal import Triton

extension RelationExtractor {
  /// Runs `body` and gives back what the engine holds at the server, whatever happens.
  func closing<Result>(_ body: () async throws -> Result) async throws -> Result {
    guard let served = engine as? TritonEngine else { return try await body() }
    return try await served.use { _ in try await body() }
  }

  /// How a served model was asked, in a line; nil for the embedded engine.
  var servingReport: String? {
    guard let served = engine as? TritonEngine else { return nil }
    let done = served.statistics
    var parts = [
      "\(served.plan.primary.route.rawValue) \(served.plan.primary.model)",
      "\(done.requests) requests", "\(Self.size(done.bytesSent)) sent",
      "\(Self.size(done.bytesReceived)) received",
      String(format: "padded cells %.2fx", statistics.waste), "\(done.askedAgain) asked again",
    ]
    if done.overloads > 0 { parts.append("\(done.overloads) refused for overload and sent again") }
    if let failure = done.failure { parts.append("\(done.fellBack) in a lesser way: \(failure)") }
    return parts.joined(separator: ", ")
  }

  /// What the run's record says of a served model.
  var servingRecord: [String: Any]? {
    guard let served = engine as? TritonEngine else { return nil }
    let done = served.statistics
    var record: [String: Any] = [
      "route": served.plan.primary.route.rawValue, "model": served.plan.primary.model,
      "requests": done.requests, "bytes_sent": done.bytesSent,
      "bytes_received": done.bytesReceived, "asked_again": done.askedAgain,
      "fell_back": done.fellBack, "overloads": done.overloads, "concurrency": done.concurrency,
      "padded_cells": statistics.paddedCells, "real_cells": statistics.realCells,
      // Where this program's own time went; of tasks that ran beside each other all counts.
      "milliseconds": [
        "tokenize": statistics.tokenizing.milliseconds, "plan": statistics.planning.milliseconds,
        "encode": done.encoding.milliseconds, "decode": done.decoding.milliseconds,
      ],
    ]
    record["failure"] = done.failure
    return record
  }

  private static func size(_ bytes: Int) -> String {
    bytes < 10 << 20
      ? String(format: "%.1f KiB", Double(bytes) / 1_024)
      : String(format: "%.1f MiB", Double(bytes) / 1_048_576)
  }
}
