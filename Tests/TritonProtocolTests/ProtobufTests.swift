import Foundation
import TestSupport
import Testing

@testable import Triton

/// The generic reader and writer over protobuf-c, and the JSON of what they read.
@Suite struct ProtobufTests {
  private static let rpcs: [RPC] = [
    .serverLive, .serverReady, .modelReady, .serverMetadata, .modelMetadata, .modelInfer,
    .modelStreamInfer, .modelConfig, .modelStatistics, .repositoryIndex, .repositoryModelLoad,
    .repositoryModelUnload, .systemSharedMemoryStatus, .systemSharedMemoryRegister,
    .systemSharedMemoryUnregister, .cudaSharedMemoryStatus, .cudaSharedMemoryRegister,
    .cudaSharedMemoryUnregister, .traceSetting, .logSettings, .healthCheck,
  ]

  @Test func `Any bytes are a message or a typed error, for every message of the service`() {
    let seed: UInt64 = 77
    print("reader fuzz: seed \(seed)")
    var random = SeededRandom(seed)
    var (read, refused) = (0, 0)
    for round in 0..<20_000 {
      let rpc = Self.rpcs[random.below(Self.rpcs.count)]
      let bytes = fields(&random)
      for type in [rpc.request, rpc.response] {
        do {
          let message = try ProtobufMessage(unpacking: bytes, as: type)
          #expect(JSONSerialization.isValidJSONObject(message.object), "round \(round)")
          read += 1
        } catch {
          #expect(error is ProtobufFault, "round \(round): \(error)")
          refused += 1
        }
      }
    }
    #expect(read > 5_000 && refused > 1_000)
  }

  /// Fields with small numbers and mostly honest lengths, nested now and then.
  private func fields(_ random: inout SeededRandom, depth: Int = 0) -> [UInt8] {
    var bytes: [UInt8] = []
    for _ in 0..<random.below(5) {
      let kind = [0, 2, 2, 2, 1, 5][random.below(6)]
      bytes.append(UInt8((1 + random.below(10)) << 3 | kind))
      switch kind {
      case 0: bytes += [UInt8(random.below(256)) | 0x80, UInt8(random.below(128))]
      case 1: bytes += random.bytes(8)
      case 5: bytes += random.bytes(4)
      default:
        let content =
          depth < 3 && random.flip()
          ? fields(&random, depth: depth + 1) : random.bytes(random.below(6))
        let isHonest = random.below(30) > 0 && content.count < 128
        bytes += [isHonest ? UInt8(content.count) : UInt8(random.below(128))] + content
      }
    }
    return bytes
  }

  @Test func `What is packed is unpacked again`() throws {
    let messages: [(RPC, [String: ProtobufValue])] = [
      (.modelReady, ["name": .string("模型"), "version": .string("1")]),
      (
        .systemSharedMemoryRegister,
        [
          "name": .string("r"), "key": .string("/r"), "offset": .unsigned(1 << 40),
          "byte_size": .unsigned(.max),
        ]
      ),
      (
        .cudaSharedMemoryRegister,
        [
          "name": .string("c"), "raw_handle": .bytes([0, 1, 255]), "device_id": .signed(-3),
          "byte_size": .unsigned(5),
        ]
      ),
      (.repositoryIndex, ["repository_name": .string("x"), "ready": .bool(true)]),
      (
        .traceSetting,
        [
          "model_name": .string("m"),
          "settings": .map([
            "trace_level": .message(
              ProtobufMessage(["value": .list([.string("TIMESTAMPS"), .string("")])]))
          ]),
        ]
      ),
      (
        .repositoryModelLoad,
        [
          "model_name": .string("m"),
          "parameters": .map([
            "config": .message(ProtobufMessage(["string_param": .string("{}")])),
            "file:1/a": .message(ProtobufMessage(["bytes_param": .bytes([7, 0])])),
            "zero": .message(ProtobufMessage(["int64_param": .signed(0)])),
          ]),
        ]
      ),
    ]
    for (rpc, fields) in messages {
      let message = ProtobufMessage(fields)
      let again = try ProtobufMessage(
        unpacking: message.packed(as: rpc.request), as: rpc.request)
      #expect(again == message, "\(rpc.name)")
    }
  }

  @Test func `Default values are absent, as on the wire`() throws {
    let message = ProtobufMessage(["name": .string(""), "version": .string("")])
    #expect(message.packed(as: RPC.modelReady.request).isEmpty)
    let empty = try ProtobufMessage(unpacking: [], as: RPC.modelReady.request)
    #expect(empty.fields.isEmpty)
    #expect(empty.string("name") == "" && !empty.bool("x") && empty.integer("y") == 0)
  }

  @Test func `Packed and unpacked numbers are both read`() throws {
    let tensor: [UInt8] = [0x0A, 1, 65] + [0x1A, 2, 1, 2] + [0x18, 3] + [0x18, 0x84, 0x01]
    let message = try ProtobufMessage(
      unpacking: [0x22, UInt8(tensor.count)] + tensor, as: RPC.modelMetadata.response)
    #expect(message.messages("inputs").first?.integers("shape") == [1, 2, 3, 132])
  }

  @Test func `Enumerations are told by name, and by number when they are newer`() throws {
    let serving = try ProtobufMessage(unpacking: [0x08, 1], as: RPC.healthCheck.response)
    #expect(serving.fields["status"]?.asText == "SERVING")
    let newer = try ProtobufMessage(unpacking: [0x08, 77], as: RPC.healthCheck.response)
    #expect(newer.fields["status"]?.asText == "77")
  }

  @Test func `JSON has maps as objects, bytes as their count and no number that it cannot hold`()
    throws
  {
    let message = ProtobufMessage([
      "map": .map(["b": .double(.nan), "a": .double(-.infinity)]),
      "bytes": .bytes([1, 2, 3]), "list": .list([.signed(-1), .unsigned(.max)]),
      "text": .string("quote \" line\n nul \0 ü"), "flag": .bool(true), "kind": .name("KIND_GPU"),
      "empty": .message(.init()),
    ])
    let object = try JSONSerialization.jsonObject(with: Data(message.json.utf8))
    let fields = try #require(object as? [String: Any])
    #expect(fields["map"] as? [String: String] == ["a": "-inf", "b": "nan"])
    #expect(fields["bytes"] as? String == "3 bytes")
    #expect((fields["list"] as? [Any])?.last as? UInt64 == .max)
    #expect(fields["text"] as? String == "quote \" line\n nul \0 ü")
    #expect(fields["flag"] as? Bool == true)
    #expect(fields["kind"] as? String == "KIND_GPU")
    #expect((fields["empty"] as? [String: Any])?.isEmpty == true)
  }

  @Test func `A repeated key of a map keeps its last value`() {
    let entries: [ProtobufValue] = [1, 2].map {
      .message(ProtobufMessage(["key": .string("k"), "value": .signed($0)]))
    }
    #expect(ProtobufMessage(["m": .list(entries)]).map("m") == ["k": .signed(2)])
  }
}
