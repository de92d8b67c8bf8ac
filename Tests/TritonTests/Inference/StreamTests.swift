import Testing
import Triton

/// Streams to a decoupled model, which answers each request once an element.
@Suite(.timeLimit(.minutes(3))) struct StreamTests {
  private static func repeating(_ values: [Int32], delay: Int32 = 0, id: String = "")
    -> InferRequest
  {
    var request = InferRequest(
      "repeat",
      inputs: [
        InferInput("IN", shape: [values.count], values),
        InferInput("DELAY_MS", shape: [1], [delay]),
      ])
    request.id = id
    return request
  }

  /// Sends the requests and collects the elements of all answers by request id.
  private static func collect(
    _ client: TritonClient, _ requests: [InferRequest]
  ) async throws -> [String: [Int32]] {
    try await client.stream { stream in
      for request in requests { try await stream.send(request) }
      try await stream.finish()
      var got: [String: [Int32]] = [:]
      for try await answer in stream {
        let result = try answer.get()
        for output in result.outputs {
          got[result.id, default: []] += try output.array(of: Int32.self)
        }
      }
      return got
    }
  }

  @Test func `Every answer arrives in order, then the end`() async throws {
    let client = try await Servers.main()
    let got = try await Self.collect(client, [Self.repeating([3, 1, 2], id: "a")])
    #expect(got == ["a": [3, 1, 2]])
    #expect(client.callsInFlight == 0)
  }

  @Test func `The end is delivered when a request has no answers`() async throws {
    let got = try await Self.collect(try await Servers.main(), [Self.repeating([])])
    #expect(got.isEmpty)
  }

  @Test func `Several requests on one stream keep their answers apart`() async throws {
    let requests = (0..<8).map { Self.repeating([$0, $0 + 100], id: "\($0)") }
    let got = try await Self.collect(try await Servers.main(), requests)
    #expect(got == Dictionary(uniqueKeysWithValues: (0..<8).map { ("\($0)", [$0, $0 + 100]) }))
  }

  @Test func `Several streams run beside each other`() async throws {
    let client = try await Servers.main()
    try await withThrowingTaskGroup(of: [Int32].self) { group in
      for index in 0..<6 as Range<Int32> {
        group.addTask {
          try await Self.collect(client, [Self.repeating([index, index], delay: 5, id: "s")])["s"]!
        }
      }
      let all = try await group.reduce(into: Set<[Int32]>()) { $0.insert($1) }
      #expect(all == Set((0..<6).map { [$0, $0] }))
    }
  }

  @Test func `An empty final answer is sent when it is asked for`() async throws {
    var request = Self.repeating([1])
    request.wantsEmptyFinalResponse = true
    let client = try await Servers.main()
    let flags = try await client.stream { [request] stream in
      try await stream.send(request)
      try await stream.finish()
      var flags: [Bool] = []
      for try await answer in stream { flags.append(try answer.get().isFinal) }
      return flags
    }
    #expect(flags == [false, true])
  }

  @Test func `One request's error does not end the stream`() async throws {
    let client = try await Servers.main()
    let outcomes = try await client.stream { stream in
      try await stream.send(
        InferRequest("nobody", inputs: [InferInput("IN", shape: [1], [Int32(1)])]))
      var iterator = stream.makeAsyncIterator()
      let first = try await iterator.next()
      try await stream.send(Self.repeating([5]))
      try await stream.finish()
      let second = try await iterator.next()
      let end = try await iterator.next()
      return (first, second, end == nil)
    }
    await expectFailure(.unknownModel, saying: "nobody") { _ = try outcomes.0?.get() }
    let values = try outcomes.1?.get().output("OUT").array(of: Int32.self)
    #expect(values == [5] && outcomes.2)
  }

  private static let misshapen = InferRequest(
    "repeat", inputs: [InferInput("IN", shape: [1, 1], [Int32(1)])])

  @Test("Bug: a wrong shape in a stream is the caller's mistake, and the stream goes on")
  func misshapen() async throws {
    let client = try await Servers.main()
    let (first, second) = try await client.stream { stream in
      try await stream.send(Self.misshapen)
      var iterator = stream.makeAsyncIterator()
      let first = try await iterator.next()
      try await stream.send(Self.repeating([5]))
      return (first, try await iterator.next())
    }
    await expectFailure(.contract, saying: "unexpected shape") { _ = try first?.get() }
    #expect(try second?.get().output("OUT").array(of: Int32.self) == [5])
  }

  /// What a stream gives for a model's error: an answer that is one, or the stream's own end.
  private static func raised(_ options: CallOptions) async throws -> TritonError? {
    let client = try await Servers.main()
    let inputs = [
      InferInput("MESSAGE", shape: [1], strings: ["broken"]),
      InferInput("CODE", shape: [1], strings: ["UNAVAILABLE"]),
    ]
    return try await client.stream(options: options) { stream in
      try await stream.send(InferRequest("raising", inputs: inputs))
      var iterator = stream.makeAsyncIterator()
      guard case .failure(let error)? = try await iterator.next() else { return nil }
      return error
    }
  }

  @Test("A model's error ends a stream with its own status where that is asked for")
  func endsOnError() async throws {
    let told = try await Self.raised(CallOptions())
    // As a text the error has no status.
    #expect(told?.status == .unknown && told?.message.contains("broken") == true)
    var options = CallOptions()
    options.endsStreamOnError = true
    do {
      _ = try await Self.raised(options)
      Issue.record("the stream went on")
    } catch let error as TritonError {
      #expect(error.status == .unavailable && error.message.contains("broken"), "\(error)")
    }
  }

  @Test func `A model with one answer a request can be streamed too`() async throws {
    let client = try await Servers.main()
    let total = try await client.stream { stream in
      let inputs = ["A", "B"].map { InferInput($0, shape: [1, 2], [20, 1] as [Int32]) }
      try await stream.send(InferRequest("sum", inputs: inputs))
      try await stream.finish()
      var iterator = stream.makeAsyncIterator()
      return try await iterator.next()?.get().output("SUM").array(of: Int32.self)
    }
    #expect(total == [40, 2])
  }

  @Test func `A decoupled model refuses a plain call and says what to do`() async throws {
    let client = try await Servers.main()
    await expectFailure(.contract, saying: "use a stream") {
      _ = try await client.infer(Self.repeating([1]))
    }
  }

  @Test func `Sending after the end is refused, and a cancelled stream ends at once`() async throws
  {
    // Of its own: Triton up to 25.01 may crash when a stream is cancelled (server issue 8034).
    let client = try await Servers.get(.own("streams", ["repeat"])).client()
    try await client.stream { stream in
      try await stream.send(Self.repeating([1, 2], delay: 2_000))
      try await stream.finish()
      await #expect(throws: TritonError.self) { try await stream.send(Self.repeating([1])) }
      stream.cancel()
      await #expect(throws: (any Error).self) {
        for try await answer in stream { _ = try answer.get() }
      }
    }
    #expect(client.callsInFlight == 0)
  }
}
