internal import DocumentIO
internal import Foundation

/// Records that could not be used: a JSON line each, with the bytes as they were.
final class RejectWriter {
  private let file: OutputFile?
  private let limit: Int?
  private var written = 0

  init(path: String?, limit: Int?) throws {
    file = try path.map { try OutputFile(FileName(argument: $0)) }
    self.limit = limit
  }

  var hasFile: Bool { file != nil }

  func write(_ reject: Reject) async throws {
    try await file?.append { appendReject(reject, to: &$0) }
  }

  /// Counts one reject, and stops the run when there are more than the limit.
  func count() throws {
    written += 1
    guard let limit, written > limit else { return }
    throw InputOutputError(.input, "more than \(limit) records were rejected (--max-rejects)")
  }

  func finish() async throws { try await file?.finish() }

  /// Says where the rejects are kept of a run that did not end well.
  func keep() { file?.sayWhatIsKept() }

  static func say(_ reject: Reject) {
    let place = reject.location
    Terminal.say(
      "\(terminalText(place.file)):\(place.line) (byte \(place.byte)): "
        + terminalText(reject.reason))
  }
}

extension OutputFile {
  /// Ends without giving the file its name, and says what is kept.
  func sayWhatIsKept() {
    guard let kept = keepPartial() else { return }
    Terminal.say("what was written so far is kept in \(terminalText(kept.text))")
  }
}
