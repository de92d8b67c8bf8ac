internal import Foundation

/// Appends a rejected record as a line of JSON: `{"source", "reason", "bytes", "raw", "fields"}`.
///
/// `raw` is text, or base64 under `raw_base64` where it is no UTF-8; of a record over the limit it
/// is the beginning, and `bytes` tells its length. `fields` are the record's other fields, where
/// it could be read that far.
public func appendReject(_ reject: Reject, to out: inout [UInt8]) {
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
  if !reject.carried.isEmpty {
    out.append(contentsOf: ", \"fields\": {".utf8)
    for (index, field) in reject.carried.enumerated() {
      if index > 0 { out.append(contentsOf: ", ".utf8) }
      appendJSON(field.name, to: &out)
      out.append(contentsOf: ": \(field.json)".utf8)
    }
    out.append(UInt8(ascii: "}"))
  }
  out.append(contentsOf: "}\n".utf8)
}
