import Testing

@testable import GRPCChannel

@Suite struct TargetTests {
  @Test func `Addresses become gRPC's own targets`() throws {
    let cases = [
      ("localhost:8001", "dns:///localhost:8001", ["localhost"]),
      ("triton.example.org:1", "dns:///triton.example.org:1", ["triton.example.org"]),
      ("127.0.0.1:65535", "dns:///127.0.0.1:65535", ["127.0.0.1"]),
      ("[::1]:8001", "dns:///[::1]:8001", ["::1"]),
      ("10.0.0.1:1,10.0.0.2:2", "ipv4:10.0.0.1:1,10.0.0.2:2", ["10.0.0.1", "10.0.0.2"]),
      ("localhost:1,10.0.0.2:2", "ipv4:127.0.0.1:1,10.0.0.2:2", ["localhost", "10.0.0.2"]),
      ("dns:///a.b:1", "dns:///a.b:1", ["a.b"]), ("dns:a.b:1", "dns:a.b:1", ["a.b"]),
      ("ipv4:1.2.3.4:5", "ipv4:1.2.3.4:5", ["1.2.3.4"]),
      ("ipv6:[::1]:5", "ipv6:[::1]:5", ["::1"]), ("unix:/tmp/s", "unix:/tmp/s", []),
      ("unix:///tmp/s", "unix:///tmp/s", []), ("xds:///service", "xds:///service", []),
    ]
    for (text, uri, hosts) in cases {
      let target = try Target(text)
      #expect(target.uri == uri)
      #expect(target.hosts == hosts)
      #expect(target.description == uri)
    }
  }

  @Test func `What is no address is refused with what was expected`() {
    for text in [
      "", "localhost", ":8001", "localhost:", "localhost:0", "localhost:65536", "localhost:http",
      "localhost:-1", "a:1,b", "a:1,,b:2", "http://a:b", "dns:///a", "ipv4:1.2.3.4",
    ] {
      let error = #expect(throws: Target.Invalid.self, "\(text)") { try Target(text) }
      #expect(error?.description.contains("HOST:PORT") == true)
    }
  }

  @Test("Bug: a scheme, blanks or an empty member of a list get a sentence")
  func sentences() {
    let cases = [
      ("http://triton:8001", "begins with http://"),
      ("grpcs://triton:8001", "begins with grpcs://"),
      ("localhost :8001", "blanks"), (" localhost:8001", "blanks"), ("a:1, b:2", "blanks"),
      ("localhost:8001\n", "blanks"), ("10.0.0.1:1,,10.0.0.2:2", "comma too many"),
      ("10.0.0.1:1,", "comma too many"), (",", "comma too many"), ("", "is empty"),
    ]
    for (text, words) in cases {
      let error = #expect(throws: Target.Invalid.self, "\(text)") { try Target(text) }
      #expect(error?.description.contains(words) == true, "\(error?.description ?? text)")
    }
    let error = #expect(throws: Target.Invalid.self) { try Target("user:s3cr3t@host") }
    #expect(error?.description.contains("s3cr3t") == false)
  }

  @Test func `A list is one target for each of its servers`() throws {
    #expect(
      try Target("10.0.0.1:1,10.0.0.2:2").members.map(\.uri)
        == ["ipv4:10.0.0.1:1", "ipv4:10.0.0.2:2"])
    #expect(
      try Target("ipv6:[::1]:1,[::2]:2").members.map(\.uri) == ["ipv6:[::1]:1", "ipv6:[::2]:2"])
    for text in ["triton:1", "dns:///triton:1", "unix:/tmp/a", "xds:///x"] {
      #expect(try Target(text).members.map(\.uri) == [Target(text).uri])
    }
  }

  @Test func `A list takes addresses only, and says so`() {
    for text in ["a.example:1,b.example:2", "10.0.0.1:1,b.example:2", "1.2.3:1,1.2.3.4:2"] {
      let error = #expect(throws: Target.Invalid.self, "\(text)") { try Target(text) }
      #expect(error?.description.contains("IPv4") == true)
    }
  }

  @Test func `An IPv6 address without brackets is refused: gRPC would take its end for the name`() {
    for text in ["::1:8001", "fe80::1:8001", "dns:///::1:8001"] {
      let error = #expect(throws: Target.Invalid.self, "\(text)") { try Target(text) }
      #expect(error?.description.contains("[") == true, "\(error?.description ?? "")")
    }
  }

  @Test func `Private places are known, so that no proxy comes between`() throws {
    for text in [
      "localhost:1", "127.0.0.1:1", "127.9.9.9:1", "10.1.2.3:1", "192.168.0.1:1", "172.16.0.1:1",
      "172.31.255.1:1", "169.254.1.1:1", "[::1]:1", "[fd00::1]:1", "unix:/s",
      "127.0.0.1:1,10.0.0.1:2",
    ] {
      let target = try Target(text)
      #expect(target.isPrivate, "\(text)")
      let arguments = ChannelConfiguration().allArguments(for: target)
      #expect(arguments["grpc.enable_http_proxy"] == .integer(0), "\(text)")
    }
    for text in [
      "example.org:1", "8.8.8.8:1", "172.15.0.1:1", "172.32.0.1:1", "192.169.0.1:1", "fd.org:1",
      "127.0.0.1:1,8.8.8.8:2", "10.0.0.1.example.org:1",
    ] {
      #expect(try !Target(text).isPrivate, "\(text)")
    }
  }

  @Test func `The proxy's rule can be changed`() throws {
    var configuration = ChannelConfiguration()
    func uses(_ text: String) throws -> Bool {
      configuration.allArguments(for: try Target(text))["grpc.enable_http_proxy"] == .integer(1)
    }
    #expect(try uses("8.8.8.8:1"))
    configuration.proxy = .never
    #expect(try !uses("8.8.8.8:1"))
    configuration.proxy = .always
    #expect(try uses("127.0.0.1:1"))
  }

  @Test func `Every channel has the arguments that gRPC's own defaults would spoil`() throws {
    let target = try Target("localhost:1")
    var configuration = ChannelConfiguration()
    configuration.arguments = ["grpc.custom": .string("x")]
    let all = configuration.allArguments(for: target)
    #expect(all["grpc.custom"] == .string("x"))
    for (key, value) in [
      ("grpc.max_receive_message_length", 512 << 20), ("grpc.max_send_message_length", -1),
      ("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0),
      ("grpc.max_reconnect_backoff_ms", 3_000), ("grpc.min_reconnect_backoff_ms", 5_000),
    ] {
      #expect(all[key] == .integer(Int32(value)), "\(key)")
    }
    // Pings at a default Triton draw GOAWAY: none unless asked for.
    #expect(all["grpc.keepalive_time_ms"] == nil)
    configuration.keepalive = .seconds(400)
    #expect(
      configuration.allArguments(for: target)["grpc.keepalive_time_ms"] == .integer(400_000))
    // The user's own word is the last one.
    configuration.arguments["grpc.enable_retries"] = .integer(1)
    #expect(configuration.allArguments(for: target)["grpc.enable_retries"] == .integer(1))
  }

  @Test func `Status codes have gRPC's names, and unknown ones are kept`() {
    #expect(StatusCode.ok.description == "OK")
    #expect(StatusCode.unauthenticated.description == "UNAUTHENTICATED")
    #expect(StatusCode.internalError.description == "INTERNAL")
    #expect(StatusCode(rawValue: 17).description == "CODE_17")
    #expect(StatusCode(rawValue: -1).description == "CODE_-1")
    #expect(Set((0...16).map { StatusCode(rawValue: $0).description }).count == 17)
  }

  @Test func `Durations are clamped and never overflow`() {
    #expect(Duration.seconds(Int64.max).nanosecondsClamped == 3_000_000_000_000_000_000)
    #expect(Duration.seconds(3).nanosecondsClamped == 3_000_000_000)
    #expect(Duration.milliseconds(1_500).milliseconds == 1_500)
    #expect(Duration.seconds(1 << 40).milliseconds == .max)
  }
}
