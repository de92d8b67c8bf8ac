internal import CGRPC
internal import Synchronization

/// Owns one core call and all that the core writes for it; destroyed when no batch is in flight,
/// because each batch's tag retains the handle's owner.
final class CallHandle: Sendable {
  // grpc_call_cancel may come from any thread while the call lives; batches are started under the
  // owner's rules, and results are read only after their tag is back.
  nonisolated(unsafe) let state: UnsafeMutablePointer<CGRPCCall>
  let method: RPCMethod
  /// Whether the caller's own `Channel.close` ended it.
  private let isClosed = Atomic(false)

  init(
    _ channel: OpaquePointer, _ queue: CompletionQueue, _ method: RPCMethod, _ options: RPCOptions
  ) {
    var path = method.path
    let slice = path.withUTF8 { grpc_slice_from_copied_buffer($0.baseAddress, $0.count) }
    defer { grpc_slice_unref(slice) }
    state = CGRPCCallCreate(channel, queue.queue, slice, options.timeout.nanosecondsClamped)
    self.method = method
    for entry in options.metadata.entries { send(entry.key, entry.value) }
    if options.compression != .none {
      send(GRPC_COMPRESSION_REQUEST_ALGORITHM_MD_KEY, Array(options.compression.rawValue.utf8))
    }
  }

  deinit { CGRPCCallDestroy(state) }

  private func send(_ key: String, _ value: [UInt8]) {
    var key = key
    key.withUTF8 { key in
      value.withUnsafeBytes {
        CGRPCCallSend(state, key.baseAddress!, key.count, $0.baseAddress, $0.count)
      }
    }
  }

  func cancel() { grpc_call_cancel(state.pointee.call, nil) }

  /// Cancels it because its channel is closed, which its error will say.
  func close() {
    isClosed.store(true, ordering: .releasing)
    cancel()
  }

  /// The message that the last receiving batch brought, once.
  func takeMessage() -> ReceivedMessage? {
    guard let buffer = state.pointee.received else { return nil }
    state.pointee.received = nil
    return ReceivedMessage(owned: buffer)
  }

  /// Nil when the status is OK. Only after the status batch is back.
  func failure() -> RPCError? {
    let code = StatusCode(rawValue: state.pointee.status.rawValue)
    guard code != .ok else { return nil }
    if code == .cancelled, isClosed.load(ordering: .acquiring) {
      return RPCError.closedUnderWay(method.path)
    }
    return RPCError(
      code: code,
      message: String(decoding: sliceBytes(&state.pointee.details), as: UTF8.self),
      method: method.path, trailingMetadata: Metadata(copying: state.pointee.trailing),
      debug: state.pointee.debug.map { String(cString: $0) } ?? "")
  }

  var peer: String {
    guard let text = grpc_call_get_peer(state.pointee.call) else { return "" }
    defer { gpr_free(text) }
    return String(cString: text)
  }
}

/// The core refuses a batch only when the calling code breaks its rules.
func refused(_ error: grpc_call_error, _ what: String) -> Never {
  fatalError("grpc_call_start_batch refused to \(what): grpc_call_error \(error.rawValue)")
}

extension Duration {
  /// Nanoseconds, at most about a hundred years: what the core's clock can add.
  var nanosecondsClamped: Int64 {
    let (seconds, attoseconds) = components
    guard seconds < 3_000_000_000 else { return 3_000_000_000_000_000_000 }
    return max(seconds, 0) * 1_000_000_000 + attoseconds / 1_000_000_000
  }
}
