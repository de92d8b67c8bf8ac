internal import CTritonProtocol

typealias MessageType = UnsafePointer<ProtobufCMessageDescriptor>
typealias FieldType = UnsafePointer<ProtobufCFieldDescriptor>

/// Bytes that are no message of the expected type.
struct ProtobufFault: Error {
  let description: String
}

/// The one place where an answer is held against what was asked: another's is none.
func expectSame(_ what: String, _ wanted: String, _ got: String) throws {
  guard wanted != got else { return }
  throw ProtobufFault(
    description: "the answer is of \(what) \"\(got)\", asked was \"\(wanted)\"")
}

extension ProtobufMessage {
  /// Unpacks with protobuf-c (`protobuf_c_message_unpack`) and copies what it found.
  init(unpacking bytes: [UInt8], as type: MessageType) throws {
    let unpacked = bytes.withUnsafeBufferPointer {
      protobuf_c_message_unpack(type, nil, $0.count, $0.baseAddress)
    }
    guard let unpacked else {
      let name = String(cString: type.pointee.name)
      throw ProtobufFault(description: "\(bytes.count) bytes are no \(name)")
    }
    defer { protobuf_c_message_free_unpacked(unpacked, nil) }
    self.init(copying: UnsafeRawPointer(unpacked), type)
  }

  /// Reads a C struct by its descriptor.
  private init(copying raw: UnsafeRawPointer, _ type: MessageType) {
    for index in 0..<Int(type.pointee.n_fields) {
      let field = type.pointee.fields + index
      if let value = read(field, raw) { fields[String(cString: field.pointee.name)] = value }
    }
    // Every message's struct begins with its base.
    let base = raw.load(as: ProtobufCMessage.self)
    for index in 0..<Int(base.n_unknown_fields) {
      unknown.append(Int(base.unknown_fields[index].tag))
    }
  }

  private func read(_ field: FieldType, _ raw: UnsafeRawPointer) -> ProtobufValue? {
    let offset = Int(field.pointee.offset)
    let quantifier = Int(field.pointee.quantifier_offset)
    if field.pointee.label == PROTOBUF_C_LABEL_REPEATED {
      let count = raw.load(fromByteOffset: quantifier, as: Int.self)
      guard count > 0 else { return nil }
      let elements = raw.load(fromByteOffset: offset, as: UnsafeRawPointer.self)
      let stride = field.pointee.elementStride
      return .list((0..<count).compactMap { scalar(field, elements + $0 * stride) })
    }
    if field.pointee.flags & UInt32(PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue) != 0 {
      let chosen = raw.load(fromByteOffset: quantifier, as: UInt32.self)
      return chosen == field.pointee.id ? scalar(field, raw + offset) : nil
    }
    let value = scalar(field, raw + offset)
    return value?.isDefault == true ? nil : value
  }

  private func scalar(_ field: FieldType, _ at: UnsafeRawPointer) -> ProtobufValue? {
    switch field.pointee.type {
    case PROTOBUF_C_TYPE_BOOL: return .bool(at.load(as: protobuf_c_boolean.self) != 0)
    case PROTOBUF_C_TYPE_INT32: return .signed(Int64(at.load(as: Int32.self)))
    case PROTOBUF_C_TYPE_INT64: return .signed(at.load(as: Int64.self))
    case PROTOBUF_C_TYPE_UINT32: return .unsigned(UInt64(at.load(as: UInt32.self)))
    case PROTOBUF_C_TYPE_UINT64: return .unsigned(at.load(as: UInt64.self))
    case PROTOBUF_C_TYPE_FLOAT: return .double(Double(at.load(as: Float.self)))
    case PROTOBUF_C_TYPE_DOUBLE: return .double(at.load(as: Double.self))
    case PROTOBUF_C_TYPE_ENUM: return enumeration(field, at.load(as: Int32.self))
    case PROTOBUF_C_TYPE_STRING:
      return at.load(as: UnsafePointer<CChar>?.self).map { .string(String(cString: $0)) }
    case PROTOBUF_C_TYPE_BYTES:
      let data = at.load(as: ProtobufCBinaryData.self)
      return .bytes(Array(UnsafeBufferPointer(start: data.data, count: data.len)))
    case PROTOBUF_C_TYPE_MESSAGE:
      guard let nested = at.load(as: UnsafeRawPointer?.self) else { return nil }
      return .message(ProtobufMessage(copying: nested, CTritonMessageType(field)!))
    default:
      // A bug of this client: every field of Protos is read by a test.
      fatalError("Protos use no field of protobuf-c type \(field.pointee.type)")
    }
  }

  /// The case's name, or its number when the server is newer than Protos.
  private func enumeration(_ field: FieldType, _ value: Int32) -> ProtobufValue {
    guard let found = protobuf_c_enum_descriptor_get_value(CTritonEnumType(field), value) else {
      return .signed(Int64(value))
    }
    return .name(String(cString: found.pointee.name))
  }
}

extension ProtobufCFieldDescriptor {
  /// Bytes of one element of a repeated field.
  var elementStride: Int {
    switch type {
    case PROTOBUF_C_TYPE_INT64, PROTOBUF_C_TYPE_UINT64, PROTOBUF_C_TYPE_DOUBLE,
      PROTOBUF_C_TYPE_STRING, PROTOBUF_C_TYPE_MESSAGE:
      8
    case PROTOBUF_C_TYPE_BYTES: MemoryLayout<ProtobufCBinaryData>.stride
    default: 4
    }
  }
}

extension ProtobufValue {
  /// Whether proto3 leaves it off the wire. An enumeration is kept: its zero has a name.
  var isDefault: Bool {
    switch self {
    case .bool(let value): !value
    case .signed(let value): value == 0
    case .unsigned(let value): value == 0
    case .double(let value): value == 0
    case .string(let value): value.isEmpty
    case .bytes(let value): value.isEmpty
    case .name, .message, .list: false
    }
  }
}
