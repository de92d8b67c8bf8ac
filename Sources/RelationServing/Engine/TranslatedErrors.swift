internal import Inference
internal import Triton

/// Runs `body`; what it throws comes out as the seam's error.
func translatingErrors<Result>(
  _ body: () async throws -> Result
) async throws(InferenceError) -> Result {
  do {
    return try await body()
  } catch let error as InferenceError {
    throw error
  } catch let error as TritonError {
    throw InferenceError(error)
  } catch is CancellationError {
    throw .cancelled
  } catch {
    throw InferenceError(code: .engineFailure, message: "\(error)", cause: error)
  }
}

extension InferenceError {
  /// A client's error as the seam tells it; the client's own is the cause.
  init(_ error: TritonError) {
    let code: Code =
      switch error.code {
      case .connection, .notReady, .cancelled: .unavailable
      case .overload: .overloaded
      case .deadline: .deadline
      case .size: .size
      case .authorization: .unauthorized
      case .invalidRequest: .invalidRequest
      case .contract, .unknownModel, .loadFailed, .unsupported: .badModel
      default: .engineFailure
      }
    self.init(code: code, message: "\(error)", cause: error)
  }
}
