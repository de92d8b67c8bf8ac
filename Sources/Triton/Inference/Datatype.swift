/// The element types of the wire, by Triton's own names.
public enum Datatype: String, Sendable, Hashable, CaseIterable, CustomStringConvertible {
  case bool = "BOOL"
  case uint8 = "UINT8"
  case uint16 = "UINT16"
  case uint32 = "UINT32"
  case uint64 = "UINT64"
  case int8 = "INT8"
  case int16 = "INT16"
  case int32 = "INT32"
  case int64 = "INT64"
  case fp16 = "FP16"
  case bf16 = "BF16"
  case fp32 = "FP32"
  case fp64 = "FP64"
  /// Elements of any length, each behind a 32-bit little-endian count.
  case bytes = "BYTES"

  /// Bytes of one element; nil for `bytes`.
  public var byteCount: Int? {
    switch self {
    case .bool, .uint8, .int8: 1
    case .uint16, .int16, .fp16, .bf16: 2
    case .uint32, .int32, .fp32: 4
    case .uint64, .int64, .fp64: 8
    case .bytes: nil
    }
  }

  /// Triton's name.
  public var description: String { rawValue }

  /// From a configuration's `TYPE_FP32` form, where BYTES is called TYPE_STRING.
  public init?(configurationName name: String) {
    guard name.hasPrefix("TYPE_") else { return nil }
    self.init(rawValue: name == "TYPE_STRING" ? "BYTES" : String(name.dropFirst(5)))
  }
}

/// A Swift type that lies in memory as one datatype does on the wire.
public protocol TensorElement: BitwiseCopyable, Sendable {
  /// What the wire calls it.
  static var datatype: Datatype { get }
}

extension Bool: TensorElement {
  /// BOOL.
  public static var datatype: Datatype { .bool }
}
extension UInt8: TensorElement {
  /// UINT8.
  public static var datatype: Datatype { .uint8 }
}
extension UInt16: TensorElement {
  /// UINT16.
  public static var datatype: Datatype { .uint16 }
}
extension UInt32: TensorElement {
  /// UINT32.
  public static var datatype: Datatype { .uint32 }
}
extension UInt64: TensorElement {
  /// UINT64.
  public static var datatype: Datatype { .uint64 }
}
extension Int8: TensorElement {
  /// INT8.
  public static var datatype: Datatype { .int8 }
}
extension Int16: TensorElement {
  /// INT16.
  public static var datatype: Datatype { .int16 }
}
extension Int32: TensorElement {
  /// INT32.
  public static var datatype: Datatype { .int32 }
}
extension Int64: TensorElement {
  /// INT64.
  public static var datatype: Datatype { .int64 }
}
extension Float16: TensorElement {
  /// FP16.
  public static var datatype: Datatype { .fp16 }
}
extension Float: TensorElement {
  /// FP32.
  public static var datatype: Datatype { .fp32 }
}
extension Double: TensorElement {
  /// FP64.
  public static var datatype: Datatype { .fp64 }
}

/// The upper half of a Float: eight exponent bits, seven fraction bits.
public struct BFloat16: TensorElement, Hashable {
  /// Sign, exponent, fraction.
  public var bitPattern: UInt16

  /// A number by its bits.
  public init(bitPattern: UInt16) { self.bitPattern = bitPattern }

  /// The nearest number, ties to even; a NaN stays one.
  public init(_ value: Float) {
    let bits = value.bitPattern
    if value.isNaN {
      bitPattern = UInt16(truncatingIfNeeded: bits >> 16) | 0x40
    } else {
      bitPattern = UInt16(truncatingIfNeeded: (bits + 0x7FFF + (bits >> 16 & 1)) >> 16)
    }
  }

  /// The same number.
  public var float: Float { Float(bitPattern: UInt32(bitPattern) << 16) }

  /// BF16.
  public static var datatype: Datatype { .bf16 }
}

/// The number of elements of a shape; nil when a dimension is negative or the product overflows.
func elementCount(of shape: [Int]) -> Int? {
  var count = 1
  for dimension in shape {
    let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
    guard dimension >= 0, !overflow else { return nil }
    count = product
  }
  return count
}
