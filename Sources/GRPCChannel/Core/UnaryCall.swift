internal import CGRPC

/// One request, one answer: a single batch whose tag is this object.
final class UnaryCall: BatchTag, @unchecked Sendable {
  // @unchecked: `continuation` is written before the batch starts and read once when it is back;
  // the completion queue orders the two.
  let handle: CallHandle
  private let request: UnsafeMutablePointer<grpc_byte_buffer>
  private let flags: UInt32
  private var continuation: UnsafeContinuation<Void, Never>?

  init(_ handle: CallHandle, _ message: OutgoingMessage, _ options: RPCOptions) {
    self.handle = handle
    request = message.makeBuffer()
    flags = options.initialMetadataFlags
  }

  deinit { grpc_byte_buffer_destroy(request) }

  /// Returns when the batch is back, which the core promises for every outcome.
  func run() async {
    await withTaskCancellationHandler {
      // Unsafe: the tag comes back exactly once, so this resumes exactly once.
      await withUnsafeContinuation { continuation in
        self.continuation = continuation
        let error = CGRPCStartUnary(handle.state, request, flags, sendOut())
        guard error == GRPC_CALL_OK else {
          takeBack()
          refused(error, "start a unary call")
        }
      }
    } onCancel: {
      handle.cancel()
    }
  }

  override func complete(success: Bool) {
    // A batch that receives a status succeeds even for a failed call: the status tells.
    continuation.take()!.resume()
  }
}

extension RPCOptions {
  var initialMetadataFlags: UInt32 {
    waitsForReady
      ? UInt32(
        GRPC_INITIAL_METADATA_WAIT_FOR_READY | GRPC_INITIAL_METADATA_WAIT_FOR_READY_EXPLICITLY_SET)
      : 0
  }
}
