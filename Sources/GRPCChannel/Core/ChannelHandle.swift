internal import CGRPC
internal import Foundation

/// Owns one core channel; destroyed with its last call.
final class ChannelHandle: Sendable {
  // The core's channel is thread-safe.
  nonisolated(unsafe) let channel: OpaquePointer
  private let patience: Duration

  init(_ target: Target, _ configuration: ChannelConfiguration) {
    Core.start()
    patience = configuration.connectTimeout + configuration.longestReconnectPause
    let credentials = Self.credentials(configuration.tls)
    defer { grpc_channel_credentials_release(credentials) }
    channel = withArguments(configuration.allArguments(for: target)) { arguments in
      grpc_channel_create(target.uri, credentials, arguments)
    }
  }

  deinit { AbandonedChannel(channel, patience: patience).destroyOnceSettled() }

  private static func credentials(_ tls: TLSConfiguration?) -> OpaquePointer {
    guard let tls else { return grpc_insecure_credentials_create() }
    guard let identity = tls.identity else {
      return grpc_ssl_credentials_create(tls.rootCertificates, nil, nil, nil)
    }
    return identity.privateKey.withCString { key in
      identity.certificateChain.withCString { chain in
        var pair = grpc_ssl_pem_key_cert_pair(private_key: key, cert_chain: chain)
        return grpc_ssl_credentials_create(tls.rootCertificates, &pair, nil, nil)
      }
    }
  }
}

/// Destroys a channel, but not while it connects: the core's 1.51 would never close the connection
/// that then comes about (grpc/grpc#32071). A channel in failure may be connecting again unseen, so
/// it is given the time of one attempt too; one of several round-robin servers may still slip by.
private final class AbandonedChannel: BatchTag {
  private let channel: OpaquePointer
  private let deadline: gpr_timespec

  init(_ channel: OpaquePointer, patience: Duration) {
    self.channel = channel
    deadline = CGRPCDeadline(patience.nanosecondsClamped)
  }

  func destroyOnceSettled() {
    let state = grpc_channel_check_connectivity_state(channel, 0)
    let isOver = gpr_time_cmp(gpr_now(GPR_CLOCK_MONOTONIC), deadline) >= 0
    guard !isOver, state == GRPC_CHANNEL_CONNECTING || state == GRPC_CHANNEL_TRANSIENT_FAILURE
    else { return grpc_channel_destroy(channel) }
    let queue = CompletionQueue.shared.queue
    grpc_channel_watch_connectivity_state(channel, state, deadline, queue, sendOut())
  }

  override func complete(success: Bool) { destroyOnceSettled() }
}

/// The core copies arguments when the channel is made, so strings live only for `body`.
private func withArguments<Result>(
  _ arguments: [String: ChannelConfiguration.Argument],
  _ body: (UnsafePointer<grpc_channel_args>) -> Result
) -> Result {
  var strings: [UnsafeMutablePointer<CChar>] = []
  func lasting(_ text: String) -> UnsafeMutablePointer<CChar> {
    strings.append(strdup(text))
    return strings.last!
  }
  defer { for string in strings { free(string) } }
  var list = arguments.sorted { $0.key < $1.key }.map { key, value in
    switch value {
    case .integer(let number): CGRPCInteger(lasting(key), number)
    case .string(let text): CGRPCString(lasting(key), lasting(text))
    }
  }
  return list.withUnsafeMutableBufferPointer { list in
    var all = grpc_channel_args(num_args: list.count, args: list.baseAddress)
    return body(&all)
  }
}
