import TestSupport
import Triton

/// What the scripted server does with a call, told by the call's own headers.
struct Script {
  var metadata: Metadata = [:]

  /// Answers with a ModelInferResponse that has no outputs.
  static func answer(model: String, version: String = "1", id: String = "") -> Script {
    var script = Script()
    script.metadata.append("answer-bin", bytes: response(model, version, id))
    return script
  }

  /// The same, as the only answer of a stream.
  static func streamed(model: String) -> Script {
    var script = Script()
    script.metadata.append("answer-bin", bytes: field(2, response(model, "1", "")))
    return script
  }

  /// The first calls of this script end with that status.
  func failing(_ times: Int, _ code: StatusCode, _ text: String, after delay: Int = 0) -> Script {
    var script = self
    script.metadata.append("fail-key", "\(UInt64.random(in: 0 ... .max))")
    script.metadata.append("fail-times", "\(times)")
    script.metadata.append("fail-code", "\(code.rawValue)")
    script.metadata.append("fail-text", text)
    script.metadata.append("fail-delay", "\(delay)")
    return script
  }

  private static func response(_ model: String, _ version: String, _ id: String) -> [UInt8] {
    field(1, Array(model.utf8)) + field(2, Array(version.utf8)) + field(3, Array(id.utf8))
  }

  /// A length-delimited field of less than 128 bytes.
  private static func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
    content.isEmpty ? [] : [number << 3 | 2, UInt8(content.count)] + content
  }
}

extension CallOptions {
  init(_ script: Script, timeout: Duration? = nil) {
    self.init(timeout: timeout, metadata: script.metadata)
  }
}
