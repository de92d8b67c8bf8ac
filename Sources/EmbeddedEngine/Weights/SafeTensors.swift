internal import Foundation
internal import Tensors
internal import RelationBundle

/// A `model.safetensors` file, mapped: names to places, every place checked against the file.
///
/// Format: 8 bytes of little-endian header length, a JSON header of
/// `{name: {dtype, shape, data_offsets}}`, then the data.
struct SafeTensors {
  struct Entry {
    let type: DataType
    let shape: [Int]
    /// Bytes within the file.
    let range: Range<Int>
  }

  let file: MappedFile
  let entries: [String: Entry]

  /// The largest header that is read, as the format's reference implementation has it.
  static let largestHeader = 100_000_000

  init(path: String) throws {
    let file: MappedFile
    do { file = try MappedFile(path: path) } catch {
      throw BundleError(path, "\(error)")
    }
    self.file = file
    guard file.count >= 8 else {
      throw BundleError(path, "it has \(file.count) bytes, too few for a safetensors header")
    }
    let length = file.withBytes(0..<8) { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
    guard length <= Self.largestHeader, Int(length) <= file.count - 8 else {
      throw BundleError(
        path,
        "its header claims \(length) bytes of \(file.count); it is truncated or no "
          + "safetensors file")
    }
    let start = 8 + Int(length)
    let header = file.withBytes(8..<start) { Data($0) }
    guard let object = try? JSONSerialization.jsonObject(with: header) as? [String: Any] else {
      throw BundleError(path, "its header is not a JSON object")
    }
    var entries: [String: Entry] = [:]
    for (name, value) in object where name != "__metadata__" {
      entries[name] = try Self.entry(name, value, dataStart: start, file)
    }
    self.entries = entries
  }

  private static func entry(
    _ name: String, _ value: Any, dataStart: Int, _ file: MappedFile
  ) throws -> Entry {
    func fail(_ reason: String) -> BundleError { BundleError(file.path, tensor: name, reason) }
    guard let row = value as? [String: Any], let dtype = row["dtype"] as? String,
      let shape = row["shape"] as? [Int], let offsets = row["data_offsets"] as? [Int],
      offsets.count == 2
    else { throw fail("its header entry lacks dtype, shape or data_offsets") }
    guard let type = DataType(rawValue: dtype) else {
      throw fail("its dtype is \(dtype), expected F32, F16 or BF16")
    }
    var bytes = type.byteCount
    for size in shape {
      let (product, overflow) = bytes.multipliedReportingOverflow(by: size)
      guard size >= 0, !overflow else { throw fail("its shape \(shape) is impossible") }
      bytes = product
    }
    let space = file.count - dataStart
    guard offsets[0] >= 0, offsets[1] >= offsets[0], offsets[1] <= space else {
      throw fail("its data \(offsets) lies outside the file's \(space) data bytes; truncated?")
    }
    guard offsets[1] - offsets[0] == bytes else {
      throw fail(
        "its shape \(shape) of \(dtype) needs \(bytes) bytes, its data has "
          + "\(offsets[1] - offsets[0])")
    }
    return Entry(
      type: type, shape: shape, range: dataStart + offsets[0]..<dataStart + offsets[1])
  }

  /// The entry of a tensor of an exact shape.
  func require(_ name: String, _ shape: [Int]) throws -> Entry {
    guard let entry = entries[name] else {
      throw BundleError(file.path, tensor: name, "it is missing; expected shape \(shape)")
    }
    guard entry.shape == shape else {
      throw BundleError(
        file.path, tensor: name, "its shape is \(entry.shape), expected \(shape) by config.json")
    }
    return entry
  }
}
