internal import CZlib
internal import CZstd

final class GzipCodec: Codec {
  let name = "gzip"
  // zlib keeps the address, so it lies where it does not move.
  private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
  private let isReady: Bool

  init() {
    stream.initialize(to: z_stream())
    // 16 asks for the gzip wrapper, 15 is the largest window.
    let size = Int32(MemoryLayout<z_stream>.size)
    isReady = inflateInit2_(stream, 16 + 15, ZLIB_VERSION, size) == Z_OK
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  func reset() { inflateReset(stream) }

  static func begins(_ bytes: UnsafeRawBufferPointer) -> Bool? {
    let magic: [UInt8] = [0x1F, 0x8B]
    if bytes.count < 2 { return bytes.elementsEqual(magic.prefix(bytes.count)) ? nil : false }
    return bytes.starts(with: magic)
  }

  func step(_ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer) -> CodecStep {
    guard isReady else { return CodecStep(fault: "zlib has no memory") }
    // zlib only reads through next_in, whatever its type says.
    let bytes = input.assumingMemoryBound(to: UInt8.self)
    stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
    stream.pointee.avail_in = UInt32(input.count)
    stream.pointee.next_out = output.assumingMemoryBound(to: UInt8.self).baseAddress
    stream.pointee.avail_out = UInt32(output.count)
    let code = inflate(stream, Z_NO_FLUSH)
    var step = CodecStep(
      taken: input.count - Int(stream.pointee.avail_in),
      given: output.count - Int(stream.pointee.avail_out), isComplete: code == Z_STREAM_END)
    if code != Z_OK, code != Z_STREAM_END, code != Z_BUF_ERROR {
      let message = stream.pointee.msg.map { String(cString: $0) } ?? "zlib error \(code)"
      step.fault = "its gzip data is damaged: \(message)"
    }
    return step
  }
}

final class ZstandardCodec: Codec {
  let name = "zstd"
  private let stream = ZSTD_createDStream()

  deinit { ZSTD_freeDStream(stream) }

  func reset() { ZSTD_DCtx_reset(stream, ZSTD_reset_session_only) }

  /// A frame, or one of the kinds that hold no data.
  static func begins(_ bytes: UnsafeRawBufferPointer) -> Bool? {
    guard let first = bytes.first else { return nil }
    let isSkippable = first & 0xF0 == 0x50
    let magic: [UInt8] = isSkippable ? [first, 0x2A, 0x4D, 0x18] : [0x28, 0xB5, 0x2F, 0xFD]
    if bytes.count < 4 { return bytes.elementsEqual(magic.prefix(bytes.count)) ? nil : false }
    return bytes.starts(with: magic)
  }

  func step(_ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer) -> CodecStep {
    var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
    var target = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
    let code = ZSTD_decompressStream(stream, &target, &source)
    var step = CodecStep(taken: source.pos, given: target.pos, isComplete: code == 0)
    if ZSTD_isError(code) != 0 {
      step.isComplete = false
      step.fault = "its zstd data is damaged: \(String(cString: ZSTD_getErrorName(code)))"
    }
    return step
  }
}
