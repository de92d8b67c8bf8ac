internal import Evaluation
internal import Foundation

/// What a comparison found.
struct CompareReport {
  let agreement: Agreement
  let names: (first: String, second: String)
  let texts: [String]
  let show: Int

  private var failures: Int { agreement.differences.count { $0.triple == nil } }

  var text: String {
    let bound = "tolerance \(agreement.tolerance), threshold \(agreement.threshold)"
    var lines = [
      "\(names.first) and \(names.second): \(agreement.documents) documents, \(bound)",
      "\(agreement.common) triples in common, \(agreement.near) on one side only but within the "
        + "tolerance of the threshold",
      String(
        format: "largest score difference %.3g, mean %.3g", agreement.largest, agreement.mean),
    ]
    for difference in agreement.differences.prefix(show) {
      lines.append(visible(line(difference)))
    }
    let more = agreement.differences.count - show
    if more > 0 { lines.append("… and \(more) more") }
    let verdict =
      "\(agreement.differences.count) beyond the tolerance, \(failures) of them failures"
    lines.append(agreement.isAgreed ? "they agree" : "they differ: \(verdict)")
    return lines.joined(separator: "\n")
  }

  private func line(_ difference: Agreement.Difference) -> String {
    let text = texts[difference.document]
    guard let triple = difference.triple else {
      return "  document \(difference.document + 1): \(difference.reason ?? "")"
    }
    func mention(_ range: Range<Int>) -> String {
      String(decoding: Array(text.utf8)[range], as: UTF8.self)
    }
    func score(_ score: Float?) -> String { score.map { "\($0)" } ?? "below \(agreement.floor)" }
    return
      "  document \(difference.document + 1): (\(mention(triple.subject)), \(triple.predicate), "
      + "\(mention(triple.object))) scores \(score(difference.scores.first)) and "
      + score(difference.scores.second)
  }

  var json: String {
    get throws {
      let object: [String: Any] = [
        "first": names.first, "second": names.second, "documents": agreement.documents,
        "common": agreement.common, "near": agreement.near, "largest": agreement.largest,
        "mean": agreement.mean, "differences": agreement.differences.count, "failures": failures,
        "agreed": agreement.isAgreed, "tolerance": agreement.tolerance,
        "threshold": agreement.threshold,
      ]
      let options: JSONSerialization.WritingOptions = [
        .prettyPrinted, .sortedKeys, .withoutEscapingSlashes,
      ]
      let data = try JSONSerialization.data(withJSONObject: object, options: options)
      return String(decoding: data, as: UTF8.self)
    }
  }
}
