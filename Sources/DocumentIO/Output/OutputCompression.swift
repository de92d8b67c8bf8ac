internal import CZlib
internal import CZstd

/// How an output is compressed: as its name's ending says, in members one after the other.
///
/// A member is made at once of all its bytes, so that the same records give the same bytes however
/// they came.
enum OutputCompression {
  case gzip, zstd

  /// By `.gz` or `.zst` in any case; nil for other names.
  init?(name: FileName) {
    let text = name.text.lowercased()
    if text.hasSuffix(".gz") {
      self = .gzip
    } else if text.hasSuffix(".zst") {
      self = .zstd
    } else {
      return nil
    }
  }

  /// From so many bytes on a member is made without being asked for: what compresses well gains
  /// little beyond.
  static let longestMember = 4 << 20

  /// A whole gzip member (RFC 1952, without name and time) or zstd frame (RFC 8878, with checksum).
  func member(of bytes: [UInt8]) throws(InputOutputError) -> [UInt8] {
    let made: [UInt8]? =
      switch self {
      case .gzip: Self.gzip(bytes)
      case .zstd: Self.zstd(bytes)
      }
    guard let made else {
      throw InputOutputError(.output, "there is no memory to compress \(bytes.count) bytes")
    }
    return made
  }

  private static func gzip(_ bytes: [UInt8]) -> [UInt8]? {
    var stream = z_stream()
    let size = Int32(MemoryLayout<z_stream>.size)
    // 16 asks for the gzip wrapper, 15 is the largest window, 8 zlib's own memory level.
    guard
      deflateInit2_(
        &stream, 6, Z_DEFLATED, 16 + 15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size) == Z_OK
    else { return nil }
    defer { deflateEnd(&stream) }
    let most = Int(deflateBound(&stream, UInt(bytes.count)))
    var input = bytes
    return input.withUnsafeMutableBufferPointer { input -> [UInt8]? in
      var isWhole = false
      let packed = [UInt8](unsafeUninitializedCapacity: most) { output, count in
        (stream.next_in, stream.avail_in) = (input.baseAddress, UInt32(input.count))
        (stream.next_out, stream.avail_out) = (output.baseAddress, UInt32(most))
        isWhole = deflate(&stream, Z_FINISH) == Z_STREAM_END
        count = most - Int(stream.avail_out)
      }
      return isWhole ? packed : nil
    }
  }

  private static func zstd(_ bytes: [UInt8]) -> [UInt8]? {
    guard let context = ZSTD_createCCtx() else { return nil }
    defer { ZSTD_freeCCtx(context) }
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
    var isWhole = false
    let packed = [UInt8](unsafeUninitializedCapacity: ZSTD_compressBound(bytes.count)) {
      output, count in
      let size = bytes.withUnsafeBytes {
        ZSTD_compress2(context, output.baseAddress, output.count, $0.baseAddress, $0.count)
      }
      isWhole = ZSTD_isError(size) == 0
      count = isWhole ? size : 0
    }
    return isWhole ? packed : nil
  }
}
