import GRPCChannel
import TestSupport
import Testing

@testable import Triton

/// The walk over an answer's slices against protobuf-c on the joined bytes.
@Suite struct WalkerTests {
  private func walk(_ pieces: [[UInt8]]) throws -> Flat {
    Flat(try ResponseWalker.infer(ReceivedMessage(pieces: pieces)))
  }

  @Test func `Valid answers in any slices are read as protobuf-c reads them`() throws {
    let seed: UInt64 = 41
    print("walker: seed \(seed)")
    var random = SeededRandom(seed)
    for round in 0..<1_500 {
      let bytes = Answers.random(&random).packed(as: RPC.modelInfer.response)
      let expected = try #require(Answers.twin(bytes), "round \(round)")
      #expect(try walk(random.slices(bytes)) == expected, "round \(round)")
      #expect(try walk(bytes.map { [$0] }) == expected, "round \(round), byte by byte")
    }
  }

  @Test func `Raw tensors may stand before the outputs, and unknown fields anywhere`() throws {
    var random = SeededRandom(5)
    for round in 0..<300 {
      let message = Answers.random(&random)
      let type = RPC.modelInfer.response
      let raw = ProtobufMessage(["raw_output_contents": message.fields["raw_output_contents"]!])
      var rest = message
      rest.fields["raw_output_contents"] = nil
      // Fields 1000 (a number), 1001 (8 bytes), 1002 (4 bytes), 1003 (two bytes of text).
      let unknown: [UInt8] =
        [0xC0, 0x3E, 5] + [0xC9, 0x3E] + [UInt8](repeating: 1, count: 8) + [0xD5, 0x3E]
        + [UInt8](repeating: 2, count: 4) + [0xDA, 0x3E, 2, 65, 66]
      let bytes = raw.packed(as: type) + unknown + rest.packed(as: type) + unknown
      #expect(try walk(random.slices(bytes)) == Answers.twin(message), "round \(round)")
    }
  }

  @Test func `Damaged answers are equal to the twin's reading or a typed error`() {
    let seed: UInt64 = 99
    print("walker fuzz: seed \(seed)")
    var random = SeededRandom(seed)
    var (read, refused) = (0, 0)
    for round in 0..<24_000 {
      let bytes = damaged(&random)
      let message = ReceivedMessage(pieces: random.slices(bytes))
      do {
        // Whatever the walker takes the twin takes too. The other way round it refuses more: counts
        // of outputs and tensors that differ, unknown datatypes, bytes that do not fit the shape
        // (the twin has these three rules as well), and field numbers of 2^29 and more, of which
        // protobuf-c drops the upper bits.
        let flat = Flat(try ResponseWalker.infer(message))
        read += 1
        guard flat == Answers.twin(bytes) else {
          Issue.record("round \(round): \(bytes) is read as \(flat)")
          return
        }
      } catch let fault as ProtobufFault {
        refused += 1
        let isStricter = fault.description.contains("there is no field")
        guard isStricter || Answers.twin(bytes) == nil else {
          Issue.record("round \(round): the twin reads \(bytes), the walker \(fault)")
          return
        }
      } catch {
        Issue.record("round \(round): \(error)")
      }
    }
    print("walker fuzz: \(read) read, \(refused) refused")
    #expect(read > 1_000)
    #expect(refused > 10_000)
  }

  /// A valid message with bytes changed, cut out, doubled or put in; or no message at all.
  private func damaged(_ random: inout SeededRandom) -> [UInt8] {
    if random.below(10) == 0 { return random.bytes(random.below(60)) }
    var bytes = Answers.random(&random).packed(as: RPC.modelInfer.response)
    for _ in 0...random.below(3) where !bytes.isEmpty {
      let at = random.below(bytes.count)
      switch random.below(6) {
      case 0: bytes[at] = UInt8(random.below(256))
      case 1: bytes[at] ^= 1 << UInt8(random.below(8))
      case 2: bytes.removeLast(bytes.count - at)
      case 3: bytes.remove(at: at)
      case 4: bytes.insert(contentsOf: random.bytes(1 + random.below(4)), at: at)
      default: bytes.insert(contentsOf: bytes[at...].prefix(random.below(20)), at: at)
      }
    }
    return bytes
  }

  @Test func `Impossible answers are named for what they are`() {
    let huge = [UInt8](repeating: 0xFF, count: 9) + [0x01]
    let cases: [(String, [UInt8])] = [
      ("there is no field 0", [0x00]), ("ends inside a number", [0x80]),
      ("claims", [0x0A, 5, 1]), ("claims", [0x32] + huge), ("wire type 7", [0x0F]),
      ("wire type 3", [0x0B]), ("more than ten bytes", [0x08] + [0xFF] + huge),
      ("ends inside a field", [0x0D, 1, 2]), ("0 outputs and 1 raw", [0x32, 0]),
    ]
    for (text, bytes) in cases {
      let error = #expect(throws: ProtobufFault.self) { try walk([bytes]) }
      #expect(error?.description.contains(text) == true, "\(error?.description ?? "")")
    }
  }

  @Test func `Outputs that cannot be are refused by name`() {
    func answer(_ datatype: String, _ shape: [Int64], _ count: Int) -> [UInt8] {
      ProtobufMessage([
        "outputs": .list([
          .message(
            ProtobufMessage([
              "name": .string("y"), "datatype": .string(datatype),
              "shape": .list(shape.map { .signed($0) }),
            ]))
        ]), "raw_output_contents": .list([.bytes([UInt8](repeating: 0, count: count))]),
      ]).packed(as: RPC.modelInfer.response)
    }
    let cases = [
      ("expected 24 bytes, got 23", answer("FP32", [2, 3], 23)),
      ("unknown datatype \"FP8\"", answer("FP8", [1], 1)),
      ("impossible shape", answer("FP32", [-1], 0)),
      ("impossible shape", answer("FP32", [1 << 62, 4], 0)),
      ("impossible shape", answer("FP64", [1 << 61], 0)),
    ]
    for (text, bytes) in cases {
      let error = #expect(throws: ProtobufFault.self) { try walk([bytes]) }
      #expect(error?.description.contains("output y") == true)
      #expect(error?.description.contains(text) == true, "\(error?.description ?? "")")
    }
  }

  @Test func `An answer of typed contents is refused by its size, before it is unpacked`() {
    let name = [UInt8](repeating: 65, count: ResponseWalker.longestHeader)
    let bytes = ProtobufMessage(["id": .string(String(decoding: name, as: UTF8.self))])
      .packed(as: RPC.modelInfer.response)
    #expect(throws: ProtobufFault.self) { try walk([bytes]) }
  }

  @Test func `Answers of a stream are an error text or an answer`() throws {
    var random = SeededRandom(17)
    for round in 0..<300 {
      let answer = Answers.random(&random)
      let error = random.flip() ? random.text() : ""
      let bytes = ProtobufMessage([
        "error_message": .string(error), "infer_response": .message(answer),
      ]).packed(as: RPC.modelStreamInfer.response)
      let (text, result) = try ResponseWalker.stream(
        ReceivedMessage(pieces: random.slices(bytes)))
      #expect(text == error)
      #expect(result.map { Flat($0) } == Answers.twin(answer), "round \(round)")
    }
    let (text, result) = try ResponseWalker.stream(ReceivedMessage(pieces: []))
    #expect(text.isEmpty && result == nil)
  }

  @Test func `Damaged answers of a stream never crash`() {
    var random = SeededRandom(23)
    var (read, refused) = (0, 0)
    for round in 0..<5_000 {
      var bytes = ProtobufMessage([
        "error_message": .string(random.text()),
        "infer_response": .message(Answers.random(&random)),
      ]).packed(as: RPC.modelStreamInfer.response)
      for _ in 0...random.below(3) { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
      do {
        _ = try ResponseWalker.stream(ReceivedMessage(pieces: random.slices(bytes)))
        read += 1
      } catch {
        #expect(error is ProtobufFault, "round \(round): \(error)")
        refused += 1
      }
    }
    #expect(read > 500 && refused > 500)
  }
}
