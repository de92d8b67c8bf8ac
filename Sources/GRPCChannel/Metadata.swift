internal import CGRPC

/// Headers of a call, in order; a key may occur more than once.
///
/// Values may be secrets: neither a description nor `dump` nor `fault` shows one.
public struct Metadata: Sendable, Hashable, ExpressibleByDictionaryLiteral {
  /// One header.
  public struct Entry: Sendable, Hashable {
    /// Lower-case letters, digits, `-`, `_` and `.`; ends in `-bin` when the value is not text.
    public var key: String
    /// Printable ASCII, or any bytes under a `-bin` key.
    public var value: [UInt8]
  }

  /// The headers.
  public private(set) var entries: [Entry] = []

  /// Headers with text values.
  public init(dictionaryLiteral elements: (String, String)...) {
    for (key, value) in elements { append(key, value) }
  }

  /// Headers with text values.
  public init(_ elements: some Sequence<(key: String, value: String)>) {
    for (key, value) in elements { append(key, value) }
  }

  /// Adds a header; the key is lower-cased, as HTTP/2 wants it.
  public mutating func append(_ key: String, _ value: String) {
    append(key, bytes: Array(value.utf8))
  }

  /// Adds a header with any bytes; the key must end in `-bin` unless they are printable ASCII.
  public mutating func append(_ key: String, bytes: [UInt8]) {
    entries.append(Entry(key: key.lowercased(), value: bytes))
  }

  /// Adds all of another's headers.
  public mutating func append(_ other: Metadata) { entries += other.entries }

  /// The first value under a key, as text.
  public subscript(key: String) -> String? {
    entries.first { $0.key == key }.map { String(decoding: $0.value, as: UTF8.self) }
  }

  /// The first header that gRPC would refuse, with the reason; nil when all are legal.
  ///
  /// A name that is none is not shown: where the separator is missing it holds the secret.
  public var fault: String? {
    for (index, entry) in entries.enumerated() {
      let place = "header \(index + 1) of \(entries.count)"
      guard !entry.key.isEmpty else { return "\(place) has no name" }
      guard entry.key.utf8.allSatisfy(Self.isLegalInKey) else {
        return "the name of \(place) holds other characters than letters, digits, '-', '_' and '.'"
      }
      guard !Self.reserved.contains(entry.key) else {
        return "gRPC writes \(entry.key) itself and would drop this one"
      }
      let printable = entry.value.allSatisfy { (0x20...0x7E).contains($0) }
      guard printable || entry.key.hasSuffix("-bin") else {
        return "the value of \(entry.key) is not printable ASCII; name it \(entry.key)-bin"
      }
    }
    return nil
  }

  private static let reserved: Set<String> = [
    "content-length", "content-type", "grpc-accept-encoding", "grpc-encoding",
    "grpc-internal-encoding-request", "grpc-message", "grpc-status", "grpc-timeout", "host", "te",
    "user-agent",
  ]

  private static func isLegalInKey(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
      true
    default: false
    }
  }

  /// Copies what a call received: the core frees it with the call.
  init(copying array: grpc_metadata_array) {
    for index in 0..<array.count {
      let entry = array.metadata + index
      entries.append(
        Entry(
          key: String(decoding: sliceBytes(&entry.pointee.key), as: UTF8.self),
          value: Array(sliceBytes(&entry.pointee.value))))
    }
  }
}

extension Metadata: CustomStringConvertible, CustomReflectable {
  /// The names with the lengths of their values, as in `[authorization: 13 bytes]`.
  public var description: String {
    "[\(entries.map(\.description).joined(separator: ", "))]"
  }

  /// What `dump` shows: the description.
  public var customMirror: Mirror { Mirror(reflecting: description) }
}

extension Metadata.Entry: CustomStringConvertible, CustomReflectable {
  /// The name with the length of its value.
  public var description: String { "\(key): \(value.count) bytes" }

  /// What `dump` shows: the description.
  public var customMirror: Mirror { Mirror(reflecting: description) }
}

/// The bytes of a slice where it lies; valid while that slice stays in place.
func sliceBytes(_ slice: UnsafePointer<grpc_slice>) -> UnsafeBufferPointer<UInt8> {
  UnsafeBufferPointer(start: CGRPCSliceBytes(slice), count: CGRPCSliceCount(slice))
}
