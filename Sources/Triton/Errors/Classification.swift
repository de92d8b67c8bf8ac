internal import GRPCChannel

/// Reads Triton's status codes and texts.
///
/// UNAVAILABLE alone means five things in Triton, so the text decides; texts are matched anywhere,
/// because the server puts "[request id: …] " before some.
struct Classification {
  let code: TritonError.Code
  let remedy: String?

  /// Whether a model is meant and not the whole server.
  let concernsModel: Bool

  init(_ status: StatusCode, _ text: String) {
    let rules = Self.byText.filter { $0.status == nil || $0.status == status }
    if let rule = rules.first(where: { text.contains($0.text) }) {
      (code, remedy, concernsModel) = (rule.code, rule.remedy, rule.concernsModel)
    } else {
      (code, remedy) = Self.byStatus[status] ?? (.serverBug, nil)
      concernsModel = false
    }
  }

  private struct Rule {
    var status: StatusCode?
    let text: String
    let code: TritonError.Code
    let remedy: String?
    var concernsModel = false
  }

  private static let byText: [Rule] =
    [
      Rule(
        text: "This protocol is restricted", code: .authorization,
        remedy: "give the header triton-grpc-protocol-KEY with the value the server expects"),
      Rule(
        text: "Exceeds maximum queue size", code: .overload,
        remedy: "send less at once, or raise max_queue_size in the model's configuration"),
      Rule(
        text: "Request timeout expired", code: .overload,
        remedy: "send less at once, or give the request a longer queue timeout"),
      Rule(
        text: "is not at ready state", code: .notReady,
        remedy: "wait until the model is ready, or see why it failed in the repository index",
        concernsModel: true),
      Rule(
        text: "load failed for model", code: .loadFailed,
        remedy: "mend the model; where the reason is not told here, it is in the server's log"),
      Rule(
        text: "failed to load", code: .loadFailed,
        remedy: "mend the model; where the reason is not told here, it is in the server's log"),
      Rule(text: "Server not ready", code: .notReady, remedy: "wait until the server is ready"),
      Rule(
        text: "Server is stopping", code: .notReady,
        remedy: "use another endpoint until it is back"),
      Rule(
        text: "Server exiting", code: .notReady, remedy: "use another endpoint until it is back"),
      Rule(
        text: "is shutting down", code: .notReady, remedy: "use another endpoint until it is back"),
      Rule(
        status: .unavailable, text: "polling is disabled", code: .unsupported,
        remedy: "start the server with --model-control-mode=explicit"),
      Rule(
        text: "explicit model load / unload is not allowed", code: .unsupported,
        remedy: "start the server with --model-control-mode=explicit"),
      Rule(
        text: "Client shared memory is disabled", code: .unsupported,
        remedy: "start the server with --allow-client-shm=true"),
      Rule(
        status: .internalError, text: "it is currently in use", code: .regionInUse,
        remedy: "a request still uses the region; unregister it when it has ended"),
      Rule(
        status: .resourceExhausted, text: "Received message larger than max", code: .size,
        remedy: "ask for fewer rows in one request, or raise maximumReceivedMessageBytes"),
      Rule(
        text: "exceeds gRPC's byte size limit", code: .size,
        remedy: "ask for fewer rows or shorter sentences in one request"),
      Rule(
        status: .invalidArgument, text: "unknown model", code: .unknownModel,
        remedy: "list what there is with the repository index"),
      // Also while a server drains before it stops, and while a model is loaded anew.
      Rule(
        status: .notFound, text: "has no available versions", code: .notReady,
        remedy: "load the model, or see why it failed in the repository index",
        concernsModel: true),
      Rule(
        status: .unimplemented, text: "decoupled transaction policy", code: .contract,
        remedy: "use a stream for a decoupled model"),
      Rule(
        status: .unavailable, text: "Ssl handshake failed", code: .authorization,
        remedy: "check that the server speaks TLS, its authority, its name and its dates"),
      Rule(
        status: .unavailable, text: "is not in peer certificate", code: .authorization,
        remedy: "use a name that the server's certificate has, or tell which one to expect"),
      Rule(
        status: .unavailable, text: "Socket closed", code: .connection,
        remedy: "the server went away, or what answers there speaks no plaintext gRPC: Triton's "
          + "gRPC port is 8001 by default (8000 is HTTP), and a TLS server needs TLS here"),
      Rule(
        status: .unavailable, text: "Trying to connect an http1.x server", code: .connection,
        remedy: "this is an HTTP port; Triton's gRPC port is 8001 by default, its HTTP port 8000"),
    ] + sharedMemory

  /// What Triton says of regions, whatever the status; words of its own, which a model's failure
  /// that speaks of shared memory does not use.
  private static let sharedMemory: [Rule] = [
    ("Unable to find shared memory region", "register the region before requests use it"),
    ("Unable to find system shared memory region", "register the region before requests use it"),
    ("Unable to find cuda shared memory region", "register the region before requests use it"),
    (
      "Unable to open shared memory region",
      "client and server need the same /dev/shm, and the object must be there while it is used"
    ),
    ("shared memory size specified", "lease as many bytes as the tensor has"),
    ("already in manager", "unregister the region first, or take another name"),
    ("Invalid offset for shared memory region", "stay within the registered bytes"),
    ("Invalid offset + byte size for shared memory region", "stay within the registered bytes"),
  ].map { Rule(text: $0.0, code: .sharedMemory, remedy: $0.1) }

  private static let byStatus: [StatusCode: (TritonError.Code, String?)] = [
    .unavailable: (.connection, "check the address, and that the server is up and reachable"),
    .deadlineExceeded: (.deadline, "give the call more time, or the server less work"),
    .cancelled: (.cancelled, "the server or a proxy ended the call; send it again"),
    .aborted: (.cancelled, "the server or a proxy ended the call; send it again"),
    .internalError: (.serverFailure, nil),
    .resourceExhausted: (.size, "ask for fewer rows in one request"),
    .invalidArgument: (.contract, nil),
    .notFound: (.unknownModel, nil),
    .alreadyExists: (.contract, nil),
    .unimplemented: (.unsupported, "the server does not offer this method; is it a Triton?"),
    .unauthenticated: (.authorization, "give the credentials that the server or proxy expects"),
    .permissionDenied: (.authorization, "give the credentials that the server or proxy expects"),
  ]
}

extension TritonError {
  /// A failed call, classified; Triton's text stands in the message as it came.
  init(_ failure: RPCError, _ rpc: RPC, target: String) {
    // A TLS failure is told apart only by the core's own account.
    let class_ = Classification(failure.code, failure.message + "\n" + failure.debug)
    let fallback = failure.debug.isEmpty ? "no reason given" : failure.debug
    // Some of Triton's texts end with an empty line.
    var text = failure.message
    while text.last?.isWhitespace == true { text.removeLast() }
    if text.isEmpty { text = fallback }
    let code: Code
    if failure.isLocal {
      code = failure.code == .cancelled ? .cancelled : .invalidRequest
    } else {
      code = class_.code
    }
    self.init(
      code: code, message: "\(target): \(text)", remedy: failure.isLocal ? nil : class_.remedy,
      rpc: rpc.name, status: failure.code)
    (self.target, serverText, debug) = (target, failure.message, failure.debug)
    (trailers, isLocal) = (failure.trailingMetadata, failure.isLocal)
    concernsModel = class_.concernsModel
    // A queue that is full, and a connection that never came about, took nothing in.
    let unsent = ["failed to connect to all addresses", "connections to all backends failing"]
    wasNotRun = code == .overload || unsent.contains { text.contains($0) }
  }
}
