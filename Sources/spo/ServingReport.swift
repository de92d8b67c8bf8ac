internal import Foundation
internal import Inference
internal import RelationExtraction

extension RelationExtractor {
  /// How a served model was asked, in a line; nil for the embedded engine.
  var servingReport: String? {
    guard engine.identity.server != nil else { return nil }
    let done = engine.statistics
    var parts = [
      "\(engine.identity.mode) \(engine.identity.model)",
      "\(done.requests) requests", "\(Self.size(done.bytesSent)) sent",
      "\(Self.size(done.bytesReceived)) received",
      String(format: "padded cells %.2fx", statistics.waste), "\(done.askedAgain) asked again",
    ]
    if done.overloads > 0 { parts.append("\(done.overloads) refused for overload and sent again") }
    if done.outages > 0 { parts.append("\(done.outages) lost with their server and sent again") }
    if let failure = done.failure { parts.append("\(done.fellBack) in a lesser way: \(failure)") }
    return parts.joined(separator: ", ")
  }

  /// What the run's record says of a served model.
  var servingRecord: [String: Any]? {
    guard engine.identity.server != nil else { return nil }
    let done = engine.statistics
    var record: [String: Any] = [
      "route": engine.identity.mode, "model": engine.identity.model,
      "requests": done.requests, "bytes_sent": done.bytesSent,
      "bytes_received": done.bytesReceived, "asked_again": done.askedAgain,
      "fell_back": done.fellBack, "overloads": done.overloads, "outages": done.outages,
      "concurrency": done.concurrency,
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
