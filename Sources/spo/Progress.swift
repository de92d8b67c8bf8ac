internal import BatchRuns
internal import Foundation

/// One line on a terminal: bar, documents, rate, time left, rejects so far.
final class Progress {
  private let begin = ContinuousClock.now
  private var last = ContinuousClock.now - .seconds(1)

  func update(_ summary: RunCounts, read: Int, of total: Int?) {
    let now = ContinuousClock.now
    guard now - last > .milliseconds(200) else { return }
    last = now
    let seconds = max(0.001, Double((now - begin).components.seconds))
    var line = String(
      format: "%d documents  %.0f/s", summary.documents, Double(summary.documents) / seconds)
    if let total, total > 0 {
      let share = min(1, Double(read) / Double(total))
      let full = Int(share * 24)
      let bar = String(repeating: "#", count: full) + String(repeating: "-", count: 24 - full)
      let left = share > 0 ? seconds / share - seconds : 0
      line = String(format: "[%@] %3.0f %%  %@  %.0f s left", bar, share * 100, line, left)
    }
    if summary.rejected > 0 { line += "  \(summary.rejected) rejected" }
    Terminal.write("\r\u{1B}[K\(line)")
  }

  func clear() { Terminal.write("\r\u{1B}[K") }
}
