internal import CGRPC

/// How a channel connects.
public struct ChannelConfiguration: Sendable, Hashable {
  /// Nil speaks plaintext.
  public var tls: TLSConfiguration?
  /// Which server each call goes to when the target names several.
  public var loadBalancing = LoadBalancing.pickFirst
  /// What `http_proxy` in the environment means for this channel.
  public var proxy = Proxy.exceptPrivate
  /// What one attempt to connect may take, handshakes included.
  public var connectTimeout: Duration = .seconds(5)
  /// The longest pause between two attempts to connect.
  public var longestReconnectPause: Duration = .seconds(3)
  /// Pings on an idle connection; nil sends none. A default Triton answers pings more often than
  /// every 300 s with GOAWAY.
  public var keepalive: Duration?
  /// Bytes that may be on their way before the first is read: HTTP/2's stream window.
  public var receiveWindowBytes = 16 << 20
  /// The longest message that is received; a longer one ends its call with `resourceExhausted`.
  ///
  /// Without it a server that lies, or that is not the one meant, could fill the memory. The
  /// default of 512 MiB is more than most models answer and bearable beside several calls at once;
  /// gRPC itself ends at 2 GiB.
  public var maximumReceivedMessageBytes = 512 << 20
  /// Put before gRPC's own user agent.
  public var userAgent = "spo"
  /// More of the core's channel arguments, by their names in grpc_types.h.
  public var arguments: [String: Argument] = [:]

  /// The defaults.
  public init() {}

  /// A value of a channel argument.
  public enum Argument: Sendable, Hashable {
    case integer(Int32)
    case string(String)
  }

  /// Policies that this build of the core knows.
  public enum LoadBalancing: String, Sendable, Hashable {
    /// The first address that answers takes all calls.
    case pickFirst = "pick_first"
    /// Every connected address in turn.
    case roundRobin = "round_robin"
  }

  /// What `http_proxy` means.
  public enum Proxy: Sendable, Hashable {
    /// It is honoured unless the target is this machine or in a private network.
    case exceptPrivate
    /// It is always honoured.
    case always
    /// It is never honoured.
    case never
  }

  func allArguments(for target: Target) -> [String: Argument] {
    let usesProxy = proxy == .always || (proxy == .exceptPrivate && !target.isPrivate)
    var all: [String: Argument] = [
      // Without these two the core refuses messages above 4 MiB, also when a user adds arguments.
      "grpc.max_receive_message_length": .integer(
        Int32(clamping: max(0, maximumReceivedMessageBytes))),
      "grpc.max_send_message_length": .integer(-1),
      "grpc.enable_http_proxy": .integer(usesProxy ? 1 : 0),
      // Two channels with equal arguments would share one TCP connection.
      "grpc.use_local_subchannel_pool": .integer(1),
      "grpc.initial_reconnect_backoff_ms": .integer(200),
      // By its name a pause, in fact the time that an attempt to connect is given.
      "grpc.min_reconnect_backoff_ms": .integer(connectTimeout.milliseconds),
      "grpc.max_reconnect_backoff_ms": .integer(longestReconnectPause.milliseconds),
      // The core's own retries stop silently above 256 KiB; who calls retries by class of error.
      "grpc.enable_retries": .integer(0),
      "grpc.http2.lookahead_bytes": .integer(Int32(clamping: receiveWindowBytes)),
      "grpc.http2.bdp_probe": .integer(0),
      "grpc.primary_user_agent": .string(userAgent),
      // Built here: a bad one fails every call with the reason only on standard error. It asks for
      // no health checks: they need Health.Watch, which Triton does not serve.
      "grpc.service_config": .string(
        #"{"loadBalancingConfig":[{"\#(loadBalancing.rawValue)":{}}]}"#),
    ]
    if let keepalive { all["grpc.keepalive_time_ms"] = .integer(keepalive.milliseconds) }
    if let name = tls?.serverName { all["grpc.ssl_target_name_override"] = .string(name) }
    return all.merging(arguments) { _, users in users }
  }
}

/// TLS from PEM text.
public struct TLSConfiguration: Sendable, Hashable {
  /// Certificates of the authorities to trust; nil takes the core's own list of public ones.
  public var rootCertificates: String?
  /// This client's certificate chain and private key, for servers that ask for one (mutual TLS).
  public var identity: Identity?
  /// The name to expect in the server's certificate, where it is not the host's.
  public var serverName: String?

  /// TLS with the given trust.
  public init(
    rootCertificates: String? = nil, identity: Identity? = nil, serverName: String? = nil
  ) {
    (self.rootCertificates, self.identity) = (rootCertificates, identity)
    self.serverName = serverName
  }

  /// A client's certificate. Its description does not show the key.
  public struct Identity: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    /// PEM, the client's own certificate first.
    public var certificateChain: String
    /// PEM.
    public var privateKey: String

    /// A client's certificate.
    public init(certificateChain: String, privateKey: String) {
      (self.certificateChain, self.privateKey) = (certificateChain, privateKey)
    }

    /// How long both are.
    public var description: String {
      "a certificate chain of \(certificateChain.utf8.count) bytes and a private key"
    }

    /// What `dump` shows.
    public var customMirror: Mirror { Mirror(reflecting: description) }
  }
}

extension Duration {
  var milliseconds: Int32 { Int32(clamping: nanosecondsClamped / 1_000_000) }
}
