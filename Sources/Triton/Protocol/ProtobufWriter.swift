internal import CTritonProtocol

extension ProtobufMessage {
  /// Packs with protobuf-c. Traps when a field is not in the type: the caller is then wrong.
  func packed(as type: MessageType) -> [UInt8] {
    let arena = Arena()
    let message = arena.message(self, type)
    let count = protobuf_c_message_get_packed_size(message)
    return [UInt8](unsafeUninitializedCapacity: count) { bytes, written in
      written = count == 0 ? 0 : protobuf_c_message_pack(message, bytes.baseAddress)
    }
  }
}

/// C structs that live as long as the packing.
private final class Arena {
  private var memory: [UnsafeMutableRawPointer] = []

  deinit { for block in memory { block.deallocate() } }

  private func allocate(_ count: Int) -> UnsafeMutableRawPointer {
    let block = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1), alignment: 16)
    block.initializeMemory(as: UInt8.self, repeating: 0, count: count)
    memory.append(block)
    return block
  }

  func message(
    _ value: ProtobufMessage, _ type: MessageType
  ) -> UnsafeMutablePointer<ProtobufCMessage> {
    let raw = allocate(type.pointee.sizeof_message)
    protobuf_c_message_init(type, raw)
    for (name, content) in value.fields {
      guard let field = protobuf_c_message_descriptor_get_field_by_name(type, name) else {
        // A bug of this client: names are its own literals, and every method's are packed by a test.
        fatalError("\(String(cString: type.pointee.name)) has no field \(name)")
      }
      write(content, field, raw)
    }
    return raw.assumingMemoryBound(to: ProtobufCMessage.self)
  }

  private func write(
    _ value: ProtobufValue, _ field: FieldType, _ raw: UnsafeMutableRawPointer
  ) {
    let offset = Int(field.pointee.offset)
    let quantifier = Int(field.pointee.quantifier_offset)
    if case .list(let elements) = value {
      let stride = field.pointee.elementStride
      let block = allocate(elements.count * stride)
      for (index, element) in elements.enumerated() {
        scalar(element, field, block + index * stride)
      }
      raw.storeBytes(of: elements.count, toByteOffset: quantifier, as: Int.self)
      raw.storeBytes(of: block, toByteOffset: offset, as: UnsafeMutableRawPointer.self)
      return
    }
    if field.pointee.flags & UInt32(PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue) != 0 {
      raw.storeBytes(of: field.pointee.id, toByteOffset: quantifier, as: UInt32.self)
    }
    scalar(value, field, raw + offset)
  }

  private func scalar(
    _ value: ProtobufValue, _ field: FieldType, _ at: UnsafeMutableRawPointer
  ) {
    switch (field.pointee.type, value) {
    case (PROTOBUF_C_TYPE_BOOL, .bool(let value)):
      at.storeBytes(of: value ? 1 : 0, as: protobuf_c_boolean.self)
    case (PROTOBUF_C_TYPE_INT64, .signed(let value)): at.storeBytes(of: value, as: Int64.self)
    case (PROTOBUF_C_TYPE_UINT64, .unsigned(let value)): at.storeBytes(of: value, as: UInt64.self)
    case (PROTOBUF_C_TYPE_UINT32, .unsigned(let value)):
      at.storeBytes(of: UInt32(clamping: value), as: UInt32.self)
    case (PROTOBUF_C_TYPE_DOUBLE, .double(let value)): at.storeBytes(of: value, as: Double.self)
    case (PROTOBUF_C_TYPE_STRING, .string(let value)):
      at.storeBytes(of: copy(Array(value.utf8) + [0]), as: UnsafeMutableRawPointer.self)
    case (PROTOBUF_C_TYPE_BYTES, .bytes(let value)):
      let data = copy(value).assumingMemoryBound(to: UInt8.self)
      at.storeBytes(of: .init(len: value.count, data: data), as: ProtobufCBinaryData.self)
    case (PROTOBUF_C_TYPE_MESSAGE, .message(let value)):
      let nested = message(value, CTritonMessageType(field)!)
      at.storeBytes(of: UnsafeMutableRawPointer(nested), as: UnsafeMutableRawPointer.self)
    default:
      // A bug of this client, as above.
      fatalError("\(String(cString: field.pointee.name)) cannot hold \(value)")
    }
  }

  private func copy(_ bytes: [UInt8]) -> UnsafeMutableRawPointer {
    let block = allocate(bytes.count)
    bytes.withUnsafeBytes { block.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
    return block
  }
}
