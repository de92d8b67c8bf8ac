import Inference
import Testing
import Triton

/// Runs `body`, which must fail with a `TritonError`, and gives that.
@discardableResult
func expectFailure(
  _ code: TritonError.Code, saying text: String = "",
  sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async -> TritonError? {
  do {
    try await body()
    Issue.record("expected \(code), nothing failed", sourceLocation: sourceLocation)
  } catch let error as TritonError {
    #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
    #expect(
      text.isEmpty || error.description.contains(text), "\(error)", sourceLocation: sourceLocation)
    return error
  } catch let error as InferenceError where error.cause is TritonError {
    // An engine's error carries the client's.
    return await expectFailure(code, saying: text, sourceLocation: sourceLocation) {
      if let cause = error.cause { throw cause }
    }
  } catch {
    Issue.record("expected \(code), got \(error)", sourceLocation: sourceLocation)
  }
  return nil
}

extension TritonClient.Configuration {
  /// One attempt: a failure is seen at once and as it came.
  static var once: Self {
    var configuration = Self()
    configuration.retry = .never
    configuration.timeout = .seconds(20)
    return configuration
  }
}
