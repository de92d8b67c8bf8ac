/// Element types of tensors in files and on the wire.
public enum DataType: String, Sendable, CaseIterable {
  /// IEEE 754 single precision.
  case float32 = "F32"
  /// IEEE 754 half precision.
  case float16 = "F16"
  /// The upper half of a single: eight exponent bits, seven fraction bits.
  case bfloat16 = "BF16"

  /// Bytes of one element.
  public var byteCount: Int { self == .float32 ? 4 : 2 }
}
