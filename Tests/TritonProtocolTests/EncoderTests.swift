import Foundation
import TestSupport
import Testing

@testable import GRPCChannel
@testable import Triton

/// The hot encoder against its twin by protobuf-c.
@Suite struct EncoderTests {
  private func sent(_ request: InferRequest) -> [UInt8] {
    ReceivedMessage(owned: request.encoded().makeBuffer()).bytes
  }

  private func input(_ random: inout SeededRandom, _ index: Int) -> InferInput {
    let datatype = Datatype.allCases[random.below(Datatype.allCases.count)]
    let shape = (0..<random.below(4)).map { _ in random.below(300) }
    let name = "\(index)\(random.text())"
    guard random.below(4) > 0 else {
      return InferInput(name, datatype, shape: shape, region: slice(&random))
    }
    // Around the size below which tensors ride in the copied piece, and well above.
    let count = [0, 1, 255, 256, 257, 1_000, 70_000][random.below(7)]
    return InferInput(name, datatype, shape: shape, bytes: SharedBytes(random.bytes(count)))
  }

  private func slice(_ random: inout SeededRandom) -> SharedMemorySlice {
    SharedMemorySlice(
      region: random.text(), offset: random.flip() ? 0 : random.below(1 << 40),
      byteCount: random.below(1 << 40))
  }

  private func request(_ random: inout SeededRandom) -> InferRequest {
    var request = InferRequest(
      random.text(), inputs: (0..<random.below(5)).map { input(&random, $0) },
      outputs: (0..<random.below(4)).map { _ in
        RequestedOutput(
          random.text(), region: random.flip() ? nil : slice(&random),
          classes: random.flip() ? nil : random.below(1_000))
      })
    (request.modelVersion, request.id) = (random.text(), random.text())
    request.parameters = random.parameters()
    if random.flip() {
      let id: InferRequest.SequencePosition.ID =
        random.flip() ? .number(random.integer()) : .text(random.text())
      request.sequence = .init(id: id, starts: random.flip(), ends: random.flip())
    }
    if random.flip() { request.priority = random.next() >> random.below(64) }
    if random.flip() { request.queueTimeout = .nanoseconds(random.below(1 << 40)) }
    request.wantsEmptyFinalResponse = random.flip()
    return request
  }

  @Test func `Random requests are written as protobuf-c writes them`() throws {
    let seed: UInt64 = 20_260_801
    print("encoder: seed \(seed)")
    var random = SeededRandom(seed)
    for round in 0..<600 {
      let request = request(&random)
      let (ours, theirs) = (sent(request), Twin.bytes(request))
      #expect(ours.count == theirs.count, "round \(round)")
      // The order of a map's entries is free, so fields are compared and not bytes.
      let (read, expected) = (
        try ProtobufMessage(unpacking: ours, as: RPC.modelInfer.request),
        try ProtobufMessage(unpacking: theirs, as: RPC.modelInfer.request)
      )
      guard read.canonical == expected.canonical else {
        Issue.record("round \(round): \(read)\nexpected \(expected)")
        return
      }
    }
  }

  @Test func `Requests without shared memory are equal byte for byte`() {
    var random = SeededRandom(7)
    for round in 0..<300 {
      var request = request(&random)
      request.inputs.removeAll { if case .region = $0.source { true } else { false } }
      for index in request.outputs.indices { request.outputs[index].region = nil }
      // With one parameter at most there is one order only.
      request.parameters = [:]
      request.sequence = nil
      (request.priority, request.queueTimeout) = (0, nil)
      #expect(sent(request) == Twin.bytes(request), "round \(round)")
    }
  }

  @Test func `A request can be encoded and sent again`() {
    var random = SeededRandom(8)
    let request = request(&random)
    let message = request.encoded()
    let first = ReceivedMessage(owned: message.makeBuffer()).bytes
    #expect(ReceivedMessage(owned: message.makeBuffer()).bytes == first)
    #expect(message.count == first.count)
    #expect(sent(request) == first)
  }

  @Test func `A BYTES input is written with its counts`() throws {
    let request = InferRequest("m", inputs: [InferInput("t", shape: [2], strings: ["é", ""])])
    let message = try ProtobufMessage(unpacking: sent(request), as: RPC.modelInfer.request)
    #expect(
      message.list("raw_input_contents") == [.bytes([2, 0, 0, 0, 0xC3, 0xA9, 0, 0, 0, 0])])
  }
}
