internal import DocumentIO
internal import Foundation

/// Records that could not be used: a JSON line each, with the bytes as they were.
final class RejectWriter {
  private let sink: OutputSink?
  private let limit: Int?
  private var written = 0

  init(path: String?, limit: Int?) throws {
    sink = try path.map { try OutputSink(path: $0) }
    self.limit = limit
  }

  var hasFile: Bool { sink != nil }

  /// `{"source", "reason", "bytes", "raw"}`, raw being text, or base64 under "raw_base64" where
  /// it is no UTF-8. Of an over-long record raw is its beginning; "bytes" tells its length.
  func write(_ reject: Reject) throws {
    try sink?.append { out in
      out.append(contentsOf: "{\"source\": {\"file\": ".utf8)
      appendJSON(reject.location.file, to: &out)
      let place = ", \"line\": \(reject.location.line), \"byte\": \(reject.location.byte)}"
      out.append(contentsOf: "\(place), \"reason\": ".utf8)
      appendJSON(reject.reason, to: &out)
      out.append(contentsOf: ", \"bytes\": \(reject.byteCount), ".utf8)
      if let text = String(validating: reject.raw, as: UTF8.self) {
        out.append(contentsOf: "\"raw\": ".utf8)
        appendJSON(text, to: &out)
      } else {
        let base64 = Data(reject.raw).base64EncodedString()
        out.append(contentsOf: "\"raw_base64\": \"\(base64)\"".utf8)
      }
      out.append(contentsOf: "}\n".utf8)
    }
  }

  /// Counts one reject, and stops the run when there are more than the limit.
  func count() throws {
    written += 1
    guard let limit, written > limit else { return }
    throw InputOutputError(.input, "more than \(limit) records were rejected (--max-rejects)")
  }

  func flush() throws { try sink?.flush() }

  static func say(_ reject: Reject) {
    let place = reject.location
    Terminal.say("\(place.file):\(place.line) (byte \(place.byte)): \(reject.reason)")
  }
}
