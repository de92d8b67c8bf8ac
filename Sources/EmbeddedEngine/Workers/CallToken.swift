internal import Inference
internal import Synchronization

/// What a call's caller and its worker share: where it waits, and whether it shall end.
final class CallToken: Sendable {
  /// Its place in the queue; 0 before it waits.
  let ticket = Atomic(0)
  private let reason = Atomic(0)

  /// Why the call shall end; nil while it shall not.
  var error: InferenceError? {
    switch reason.load(ordering: .relaxed) {
    case 0: nil
    case 1: .cancelled
    default: .closed
    }
  }

  /// Throws when the call shall end; its worker looks before each step.
  func check() throws(InferenceError) {
    if let error { throw error }
  }

  func cancel() { end(1) }
  func close() { end(2) }

  /// The first reason stays.
  private func end(_ value: Int) {
    _ = reason.compareExchange(expected: 0, desired: value, ordering: .relaxed)
  }
}

extension InferenceError {
  static let closed = InferenceError(
    code: .closed, message: "the engine is closed; make another one to go on")
}
