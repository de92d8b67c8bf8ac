/// Where a channel connects to, in gRPC's own spelling.
///
/// Accepts `host:port`, `ip:port,ip:port` (one channel over several servers), and gRPC's own
/// `dns:///host:port`, `ipv4:…`, `ipv6:…`, `unix:…`, `xds:///…`.
public struct Target: Sendable, Hashable, CustomStringConvertible {
  /// What gRPC is given.
  public let uri: String
  /// The hosts named, without their ports; empty for `unix:` and `xds:`.
  public let hosts: [String]

  /// Why a target cannot be used.
  public struct Invalid: Error, CustomStringConvertible {
    /// What was given, expected, and what to do.
    public let description: String
  }

  private static let schemes = ["dns:", "ipv4:", "ipv6:", "unix:", "unix-abstract:", "xds:"]

  /// Reads a target.
  ///
  /// - Throws: `Invalid` with what was expected.
  public init(_ text: String) throws {
    if let fault = Self.fault(text) { throw Invalid(description: fault) }
    if let scheme = Self.schemes.first(where: text.hasPrefix) {
      uri = text
      let rest = text.dropFirst(scheme.count).drop { $0 == "/" }
      hosts = scheme.hasPrefix("unix") || scheme == "xds:" ? [] : try Self.hosts(in: String(rest))
      return
    }
    hosts = try Self.hosts(in: text)
    guard hosts.count > 1 else {
      uri = "dns:///\(text)"
      return
    }
    let addresses = text.split(separator: ",").map {
      $0.replacing("localhost:", with: "127.0.0.1:")
    }
    guard addresses.allSatisfy({ Self.isIPv4($0.prefix { $0 != ":" }) }) else {
      throw Invalid(
        description:
          "\"\(Self.shown(text))\" lists host names; gRPC takes a list of IPv4 addresses only: "
          + "give ip:port,ip:port, or one DNS name with all of them as dns:///name:port")
    }
    uri = "ipv4:" + addresses.joined(separator: ",")
  }

  private static let expected = "expected HOST:PORT, Triton's gRPC port is 8001 by default"

  /// What people write who think of a URL or of a list in prose; nil when it may be a target.
  private static func fault(_ text: String) -> String? {
    if text.isEmpty { return "the server address is empty; \(expected)" }
    guard !text.hasPrefix("unix") else { return nil }
    if text.unicodeScalars.contains(where: { $0.properties.isWhitespace || $0.value < 0x20 }) {
      return
        "\"\(Self.shown(text))\" has blanks in it; \(expected), and several of them with only a "
        + "comma between"
    }
    if let end = text.firstRange(of: "://"), !schemes.contains(where: text.hasPrefix) {
      return "the server address begins with \(text[..<end.upperBound]), which gRPC does not take; "
        + "\(expected), and TLS is a setting of its own"
    }
    if text.split(separator: ",", omittingEmptySubsequences: false).contains("") {
      return
        "\"\(Self.shown(text))\" has a comma too many: an address of its list is empty; \(expected)"
    }
    return nil
  }

  /// The text without a user's name and password, which stand before an @ in URLs.
  private static func shown(_ text: some StringProtocol) -> String {
    text.lastIndex(of: "@").map { "…" + text[$0...] } ?? String(text)
  }

  /// One target for each server that is named; itself where there is one, or a name to resolve.
  public var members: [Target] {
    guard hosts.count > 1, let scheme = ["ipv4:", "ipv6:"].first(where: uri.hasPrefix) else {
      return [self]
    }
    return zip(uri.dropFirst(scheme.count).split(separator: ","), hosts).map { address, host in
      Target(uri: scheme + address, hosts: [host])
    }
  }

  private init(uri: String, hosts: [String]) { (self.uri, self.hosts) = (uri, hosts) }

  /// gRPC's spelling.
  public var description: String { uri }

  /// Whether every host is this machine or in a private network, where a proxy has no place.
  public var isPrivate: Bool { hosts.allSatisfy(Self.isPrivate) }

  private static func hosts(in text: String) throws -> [String] {
    try text.split(separator: ",", omittingEmptySubsequences: false).map { address in
      let colon = address.lastIndex(of: ":")
      let port = colon.flatMap { UInt16(address[address.index(after: $0)...]) }
      guard let colon, let port, port > 0, colon > address.startIndex else {
        throw Invalid(
          description: "\"\(Self.shown(address))\" is no server address; \(Self.expected)")
      }
      let host = address[..<colon].trimmingBrackets
      // gRPC would take the whole for a name, and its port for missing.
      guard !host.contains(":") || address.hasPrefix("[") else {
        throw Invalid(description: "\"\(address)\" is ambiguous; expected [IPv6]:PORT")
      }
      return host
    }
  }

  private static func isIPv4(_ host: Substring) -> Bool {
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
  }

  /// Loopback, RFC 1918, link-local and unique local addresses.
  private static func isPrivate(_ host: String) -> Bool {
    if host == "localhost" || host == "::1" || host.hasPrefix("fd") && host.contains(":") {
      return true
    }
    let parts = host.split(separator: ".").compactMap { UInt8($0) }
    guard parts.count == 4, isIPv4(host[...]) else { return false }
    switch (parts[0], parts[1]) {
    case (127, _), (10, _), (192, 168), (169, 254), (172, 16...31): return true
    default: return false
    }
  }
}

extension Substring {
  fileprivate var trimmingBrackets: String {
    hasPrefix("[") && hasSuffix("]") ? String(dropFirst().dropLast()) : String(self)
  }
}
