/// Writes protobuf's wire format; https://protobuf.dev/programming-guides/encoding.
///
/// Only inference requests are written by it, because they are the hot ones; a test holds it
/// against protobuf-c.
struct WireWriter {
  private(set) var bytes: [UInt8] = []

  init(reserving count: Int) { bytes.reserveCapacity(count) }

  mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  /// Field and length of what follows.
  mutating func header(_ field: UInt64, count: Int) {
    varint(field << 3 | 2)
    varint(UInt64(count))
  }

  mutating func integer(_ field: UInt64, _ value: UInt64) {
    varint(field << 3)
    varint(value)
  }

  mutating func double(_ field: UInt64, _ value: Double) {
    varint(field << 3 | 1)
    for shift in stride(from: 0, to: 64, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> UInt64(shift)))
    }
  }

  /// A text that is not empty, as proto3 has it.
  mutating func string(_ field: UInt64, _ value: String) {
    guard !value.isEmpty else { return }
    var value = value
    value.withUTF8 { utf8 in
      header(field, count: utf8.count)
      bytes.append(contentsOf: utf8)
    }
  }

  /// A text of a oneof, which is present even when empty.
  mutating func presentString(_ field: UInt64, _ value: String) {
    header(field, count: value.utf8.count)
    bytes.append(contentsOf: value.utf8)
  }

  mutating func append(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

  /// What has been written, leaving nothing behind.
  mutating func take() -> [UInt8] {
    defer { bytes = [] }
    return bytes
  }

  /// A nested message or packed list. Its length comes before it, so a byte is kept free for it;
  /// longer contents than that byte can tell are moved.
  mutating func message(_ field: UInt64, _ write: (inout WireWriter) -> Void) {
    varint(field << 3 | 2)
    let place = bytes.count
    bytes.append(0)
    write(&self)
    let count = bytes.count - place - 1
    if count < 0x80 {
      bytes[place] = UInt8(count)
    } else {
      var length = WireWriter(reserving: 10)
      length.varint(UInt64(count))
      bytes.replaceSubrange(place...place, with: length.bytes)
    }
  }
}
