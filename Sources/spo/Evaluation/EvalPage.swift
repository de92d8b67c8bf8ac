internal import Evaluation
internal import Foundation

/// The report as one HTML page that needs nothing else.
struct EvalPage {
  let report: EvalReport

  init(_ report: EvalReport) { self.report = report }

  var html: String {
    """
    <!doctype html>
    <html lang="zh"><head><meta charset="utf-8"><title>spo eval</title>
    <style>
    body { font: 15px/1.5 sans-serif; max-width: 60em; margin: 2em auto; color: #222 }
    table { border-collapse: collapse } td, th { padding: 2px 10px; text-align: right }
    td:first-child, th:first-child { text-align: left } tr:nth-child(even) { background: #f4f4f4 }
    .subject { background: #cde7ff } .object { background: #d9f2d0 } .side { color: #888 }
    svg text { font-size: 11px; fill: #555 }
    </style></head><body>
    <h1>\(escaped(report.files.predicted))</h1>
    <p>against \(escaped(report.files.gold)), \(report.evaluation.scorer.rawValue) scorer, scores
    above \(report.threshold): P \(four(report.total.precision)), R \(four(report.total.recall)),
    <b>F1 \(four(report.total.f1))</b></p>
    \(curve)
    <h2>Predicates</h2>
    \(table)
    <h2>Errors</h2>
    \(errors)
    </body></html>

    """
  }

  private func four(_ rate: Double) -> String { String(format: "%.4f", rate) }

  private func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing("\"", with: "&quot;")
  }

  /// Precision over recall at the thresholds of the sweep.
  private var curve: String {
    guard report.sweep.count > 1 else {
      return "<p>The predictions keep no scores: there is no precision-recall curve.</p>"
    }
    let (width, height, margin) = (460.0, 320.0, 40.0)
    func place(_ counts: Counts) -> (x: Double, y: Double) {
      (
        margin + counts.recall * (width - 2 * margin),
        height - margin - counts.precision * (height - 2 * margin)
      )
    }
    let line = report.sweep.map { point in
      let at = place(point.counts)
      return String(format: "%.1f,%.1f", at.x, at.y)
    }.joined(separator: " ")
    let dots = report.sweep.map { point in
      let at = place(point.counts)
      return String(format: "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"#1668b0\">", at.x, at.y)
        + String(
          format: "<title>threshold %.2f: P %.4f R %.4f F1 %.4f</title></circle>", point.threshold,
          point.counts.precision, point.counts.recall, point.counts.f1)
    }.joined()
    let grid = stride(from: 0.0, through: 1.0, by: 0.2).map { value in
      let x = margin + value * (width - 2 * margin)
      let y = height - margin - value * (height - 2 * margin)
      return String(
        format: """
          <line x1="%.1f" y1="40" x2="%.1f" y2="280" stroke="#ddd"/>\
          <line x1="40" y1="%.1f" x2="420" y2="%.1f" stroke="#ddd"/>\
          <text x="%.1f" y="296" text-anchor="middle">%.1f</text>\
          <text x="34" y="%.1f" text-anchor="end">%.1f</text>
          """, x, x, y, y, x, value, y + 4, value)
    }.joined()
    return """
      <svg viewBox="0 0 460 320" width="460" role="img" aria-label="precision over recall">
      \(grid)<polyline points="\(line)" fill="none" stroke="#1668b0" stroke-width="1.5"/>\(dots)
      <text x="230" y="314" text-anchor="middle">recall</text>
      <text x="40" y="28">precision</text></svg>
      """
  }

  private var table: String {
    let head = "<tr><th>predicate<th>gold<th>predicted<th>P<th>R<th>F1</tr>"
    return "<table>" + head
      + report.predicates.map { name, counts in
        "<tr><td>\(escaped(name))<td>\(counts.gold)<td>\(counts.predicted)"
          + [counts.precision, counts.recall, counts.f1].map { "<td>\(four($0))" }.joined()
          + "</tr>"
      }.joined(separator: "\n") + "</table>"
  }

  /// So many errors of a class are listed, so that a browser can open the page.
  static let listed = 500

  private var errors: String {
    ErrorClass.allCases.map { name in
      let cases = report.errors[name] ?? []
      guard !cases.isEmpty else { return "" }
      let left = cases.count - Self.listed
      let rest = left > 0 ? "\n<li class=\"side\">… and \(left) more that are not listed</li>" : ""
      return "<details><summary>\(name.rawValue): \(cases.count)</summary><ul>"
        + cases.prefix(Self.listed).map(item).joined(separator: "\n") + rest + "</ul></details>"
    }.joined(separator: "\n")
  }

  private func item(_ error: ErrorCase) -> String {
    let side = error.isPredicted ? "predicted" : "not found"
    let near = error.resembles.map { other in
      " <span class=\"side\">resembles \(escaped(EvalReport.line(other)))</span>"
    }
    return "<li><span class=\"side\">\(side)</span> \(escaped(EvalReport.line(error.statement)))"
      + "\(near ?? "")<br>\(marked(error))</li>"
  }

  /// The sentence with the first occurrence of each mention in color: cut at the mentions' ends
  /// first and escaped piece by piece, so that no mention is sought within the markup.
  private func marked(_ error: ErrorCase) -> String {
    let text = error.text
    let mentions = [("subject", error.statement.subject), ("object", error.statement.value)]
    let places = mentions.compactMap { style, mention in
      text.range(of: mention, options: [.caseInsensitive, .literal]).map { (style, $0) }
    }
    let ends = places.flatMap { [$0.1.lowerBound, $0.1.upperBound] }
    let cuts = Set(ends + [text.startIndex, text.endIndex]).sorted()
    return zip(cuts, cuts.dropFirst()).map { from, to in
      let styles = places.filter { $0.1.contains(from) }.map(\.0)
      let piece = escaped(String(text[from..<to]))
      return styles.isEmpty
        ? piece : "<span class=\"\(styles.joined(separator: " "))\">\(piece)</span>"
    }.joined()
  }
}
