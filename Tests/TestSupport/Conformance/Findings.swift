internal import Inference
internal import Synchronization

/// What a check found wrong.
final class Findings: Sendable {
  private let texts = Mutex<[String]>([])
  var all: [String] { texts.withLock { $0 } }

  func add(_ text: String) { texts.withLock { $0.append(text) } }

  func expect(_ isKept: Bool, _ otherwise: @autoclosure () -> String) {
    if !isKept { add(otherwise()) }
  }

  /// A call that must fail with a code, and with the row where it is one of a row.
  func expect(
    _ code: InferenceError.Code, row: Int? = nil, for what: String,
    _ body: () async throws -> Void
  ) async {
    do {
      try await body()
      add("\(what) was taken")
    } catch let error as InferenceError {
      expect(error.code == code, "\(what) ended with \(error), expected \(code)")
      expect(error.row == row, "\(what) names row \(error.row as Any), expected \(row as Any)")
    } catch {
      add("\(what) ended with \(error), which is no InferenceError")
    }
  }
}
