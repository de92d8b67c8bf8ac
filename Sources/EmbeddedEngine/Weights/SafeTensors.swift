internal import RelationBundle
internal import Texts

/// Element types of tensors that are read.
enum ElementType: String {
  /// IEEE 754 single precision.
  case float32 = "F32"
  /// IEEE 754 half precision.
  case float16 = "F16"
  /// The upper half of a single: eight exponent bits, seven fraction bits.
  case bfloat16 = "BF16"

  /// Bytes of one element.
  var byteCount: Int { self == .float32 ? 4 : 2 }
}

/// A `model.safetensors` file: names to places, every place checked against the file.
///
/// Format: 8 bytes of little-endian header length, a JSON header of
/// `{name: {dtype, shape, data_offsets}}`, then the data.
struct SafeTensors {
  struct Entry {
    let type: ElementType
    let shape: [Int]
    /// Bytes within the file.
    let range: Range<Int>
  }

  let file: BundleFile
  let entries: [String: Entry]

  /// The largest header that is read, some 90,000 tensors: a model of 1,000 layers has 16,000.
  static let largestHeader = 10_000_000

  init(_ file: BundleFile) throws(BundleError) {
    self.file = file
    guard file.count >= 8 else {
      throw BundleError(file.path, "it has \(file.count) bytes, too few for a safetensors header")
    }
    let length = try file.bytes(0..<8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= file.count - 8 else {
      throw BundleError(
        file.path,
        "its header claims \(length) bytes of \(file.count); it is truncated or no "
          + "safetensors file")
    }
    guard length <= Self.largestHeader else {
      throw BundleError(
        file.path,
        "its header has \(length) bytes, at most \(Self.largestHeader) are read; a model that "
          + "config.json can describe needs far fewer")
    }
    let start = 8 + Int(length)
    let header = try JSONObject(file.bytes(8..<start), path: file.path, what: "its header")
    var entries: [String: Entry] = [:]
    for (name, value) in header.fields where name != "__metadata__" {
      entries[name] = try Self.entry(name, value, dataStart: start, file)
    }
    try Self.requireApart(entries, file)
    self.entries = entries
  }

  private static func entry(
    _ name: String, _ value: JSONValue, dataStart: Int, _ file: BundleFile
  ) throws(BundleError) -> Entry {
    func fail(_ reason: String) -> BundleError { BundleError(file.path, tensor: name, reason) }
    guard let dtype = value["dtype"]?.string, let shape = value["shape"]?.integers,
      let offsets = value["data_offsets"]?.integers, offsets.count == 2
    else { throw fail("its header entry lacks dtype, shape or data_offsets") }
    guard let type = ElementType(rawValue: dtype) else {
      throw fail("its dtype is \(dtype.cut), expected F32, F16 or BF16")
    }
    var bytes = type.byteCount
    for size in shape {
      let (product, overflow) = bytes.multipliedReportingOverflow(by: size)
      guard size >= 0, !overflow else {
        throw fail("its shape \("\(shape)".cut) is impossible")
      }
      bytes = product
    }
    let space = file.count - dataStart
    guard offsets[0] >= 0, offsets[1] >= offsets[0], offsets[1] <= space else {
      throw fail("its data \(offsets) lies outside the file's \(space) data bytes; truncated?")
    }
    guard offsets[1] - offsets[0] == bytes else {
      throw fail(
        "its shape \("\(shape)".cut) of \(dtype) needs \(bytes) bytes, its data has "
          + "\(offsets[1] - offsets[0])")
    }
    return Entry(
      type: type, shape: shape, range: dataStart + offsets[0]..<dataStart + offsets[1])
  }

  /// Refuses tensors that share bytes, as the format does.
  private static func requireApart(
    _ entries: [String: Entry], _ file: BundleFile
  ) throws(BundleError) {
    let inOrder = entries.filter { !$0.value.range.isEmpty }
      .sorted { $0.value.range.lowerBound < $1.value.range.lowerBound }
    for (a, b) in zip(inOrder, inOrder.dropFirst()) where a.value.range.overlaps(b.value.range) {
      throw BundleError(
        file.path, tensor: b.key, "its data lies over that of \(a.key); the file is damaged")
    }
  }

  /// The entry of a tensor of an exact shape.
  func require(_ name: String, _ shape: [Int]) throws(BundleError) -> Entry {
    guard let entry = entries[name] else {
      throw BundleError(file.path, tensor: name, "it is missing; expected shape \(shape)")
    }
    guard entry.shape == shape else {
      throw BundleError(
        file.path, tensor: name,
        "its shape is \("\(entry.shape)".cut), expected \(shape) by config.json")
    }
    return entry
  }
}
