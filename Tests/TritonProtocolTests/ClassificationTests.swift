import GRPCChannel
import Testing

@testable import Triton

@Suite struct ClassificationTests {
  /// Triton's own texts, and gRPC's, as they come.
  private static let texts: [(StatusCode, String, TritonError.Code)] = [
    (.unavailable, "failed to connect to all addresses; Connection refused", .connection),
    (.unavailable, "Socket closed", .connection),
    (.unavailable, "GOAWAY received", .connection),
    (.unavailable, "Connection reset by peer", .connection),
    (.unavailable, "Trying to connect an http1.x server", .connection),
    (.unavailable, "Ssl handshake failed: SSL_ERROR_SSL", .authorization),
    (.unavailable, "[request id: 7] Request timeout expired", .overload),
    (.unavailable, "[request id: <id_unknown>] Exceeds maximum queue size", .overload),
    (.unavailable, "Request for unknown model: 'm' is not at ready state", .notReady),
    (.unavailable, "Server not ready", .notReady),
    (.unavailable, "Server exiting", .notReady),
    (.unavailable, "Server is stopping, scheduler for model 'm' has stopped", .notReady),
    (.unavailable, "GRPC server is shutting down and has stopped accepting requests", .notReady),
    (.cancelled, "GRPC endpoint is shutting down", .notReady),
    (.unavailable, "This protocol is restricted, expecting header 'triton-…'", .authorization),
    (
      .unavailable, "explicit model load / unload is not allowed if polling is enabled",
      .unsupported
    ),
    (.unavailable, "polling is disabled", .unsupported),
    (
      .unavailable,
      "Client shared memory is disabled. Start the server with '--allow-client-shm=true'",
      .unsupported
    ),
    (
      .invalidArgument,
      "Response has byte size 4 which exceeds gRPC's byte size limit 2147483647.", .size
    ),
    (.resourceExhausted, "Received message larger than max (5 vs. 4)", .size),
    (.invalidArgument, "Request for unknown model: 'm' is not found", .unknownModel),
    (.notFound, "Request for unknown model: 'm' has no available versions", .notReady),
    (
      .invalidArgument, "[request id: x] inference request batch-size must be <= 4 for 'm'",
      .contract
    ),
    (
      .invalidArgument, "inference input 'I' data-type is 'INT32', but model 'm' expects 'INT64'",
      .contract
    ),
    (
      .invalidArgument, "unexpected shape for input 'I' for model 'm'. Expected [-1], got [1,2]",
      .contract
    ),
    (
      .unimplemented,
      "ModelInfer RPC doesn't support models with decoupled transaction policy", .contract
    ),
    (.unimplemented, "", .unsupported), (.deadlineExceeded, "Deadline Exceeded", .deadline),
    (.cancelled, "CANCELLED", .cancelled), (.alreadyExists, "region is registered", .contract),
    (.unauthenticated, "", .authorization), (.permissionDenied, "", .authorization),
    (.internalError, "onnx runtime error 2", .serverFailure), (.aborted, "", .cancelled),
    (.unknown, "?", .serverBug),
    (.dataLoss, "", .serverBug), (StatusCode(rawValue: 99), "", .serverBug),
  ]

  /// What Triton says of shared memory, with each status that it comes with.
  private static let regions: [(StatusCode, String)] = [
    (.notFound, "Unable to find shared memory region: 'x'"),
    (.notFound, "Unable to find system shared memory region: 'x'"),
    (.invalidArgument, "Unable to find cuda shared memory region: 'x'"),
    (.internalError, "Unable to open shared memory region: '/x'"),
    (.internalError, "shared memory size specified with the request for output 'y' (4 bytes)"),
    (.alreadyExists, "shared memory region 'x' already in manager"),
    (.invalidArgument, "Invalid offset for shared memory region: 'x'"),
    (.unknown, "Invalid offset + byte size for shared memory region: 'x'"),
  ]

  @Test("Bug: what the server says of a region is of class shared_memory, with something to do")
  func sharedMemory() {
    for (status, text) in Self.regions {
      let found = Classification(status, "[request id: 1] " + text)
      #expect(found.code == .sharedMemory && found.remedy != nil, "\(text)")
    }
    // A model that fails with words about shared memory has not lost a region.
    let stub = Classification(.internalError, "Failed to increase the shared memory pool size")
    #expect(stub.code == .serverFailure)
  }

  @Test("Bug: in a stream a caller's mistake has the class that it has in a call")
  func streams() {
    let table: [(String, TritonError.Code)] = [
      ("unexpected shape for input 'I' for model 'm'. Expected [-1], got [1,2]", .contract),
      ("[request id: x] inference request batch-size must be <= 4 for 'm'", .contract),
      ("inference input 'I' data-type is 'INT32', but model 'm' expects 'INT64'", .contract),
      ("unexpected inference input 'J' for model 'm'", .contract),
      ("unexpected inference output 'P' for model 'm'", .contract),
      ("expected 2 inputs but got 1 inputs for model 'm'", .contract),
      ("Request for unknown model: 'm' is not found", .unknownModel),
      ("Request for unknown model: 'm' has no available versions", .notReady),
      ("Request for unknown model: 'm' is not at ready state", .notReady),
      ("Exceeds maximum queue size", .overload), ("Request timeout expired", .overload),
      ("Unable to find shared memory region: 'x'", .sharedMemory),
      ("the model broke", .serverBug),
    ]
    for (text, code) in table {
      #expect(Classification(StreamStatus.of(text), text).code == code, "\(text)")
    }
  }

  @Test func `Every text of the table has its class`() {
    for (status, text, code) in Self.texts {
      #expect(Classification(status, text).code == code, "\(status): \(text)")
    }
  }

  @Test func `A text counts only with its status`() {
    // A model may fail with words that mean something else under another status.
    #expect(Classification(.internalError, "unknown model of car").code == .serverFailure)
    #expect(Classification(.internalError, "Socket closed").code == .serverFailure)
    #expect(Classification(.unknown, "polling is disabled").code == .serverBug)
  }

  @Test func `An error says where, what and what to do, and keeps the server's words`() {
    let failure = RPCError(
      code: .notFound, message: "'m' has no available versions", method: "/x/y", debug: "core")
    let error = TritonError(failure, .modelInfer, target: "host:8001")
    #expect(error.serverText == "'m' has no available versions")
    #expect(error.status == .notFound)
    #expect(error.debug == "core")
    let text = error.description
    for part in ["host:8001", "'m' has no", "load the model", "not_ready", "ModelInfer"] {
      #expect(text.contains(part), "\(part)")
    }
  }

  @Test func `A call that was refused here is the caller's fault`() {
    let failure = RPCError(
      code: .unavailable, message: "the channel is closed", method: "/x/y", isLocal: true)
    let error = TritonError(failure, .modelInfer, target: "t:1")
    #expect(error.code == .invalidRequest)
    #expect(error.isLocal)
  }

  @Test func `An error without any text says what the core knows`() {
    let failure = RPCError(code: .internalError, message: "", method: "/x/y", debug: "stream reset")
    let error = TritonError(failure, .modelInfer, target: "t:1")
    #expect(error.message.contains("stream reset"))
    let silent = RPCError(code: .internalError, message: "", method: "/x/y")
    #expect(TritonError(silent, .modelInfer, target: "t:1").message.contains("no reason given"))
  }
}
