internal import CZlib
internal import CZstd

/// What a step of decompression did.
struct CodecStep {
  /// Bytes taken from the input.
  var taken = 0
  /// Bytes given.
  var given = 0
  /// Whether a member or frame ended here.
  var isComplete = false
  /// Why it cannot go on; what was given before stays good.
  var fault: String?
}

/// One way of compression whose files are members one after the other.
protocol Codec: AnyObject {
  /// Its name in messages.
  var name: String { get }
  /// Gets ready for the next member.
  func reset()
  /// Decompresses as much of a member as input and output allow.
  func step(_ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer) -> CodecStep
  /// Whether a member begins with these bytes; nil when there are too few to tell.
  static func begins(_ bytes: UnsafeRawBufferPointer) -> Bool?
}

extension Codec {
  func begins(_ bytes: UnsafeRawBufferPointer) -> Bool? { Self.begins(bytes) }
}

/// The codec of a file that begins so; nil where it is not compressed, or not in these ways.
func codec(of bytes: UnsafeRawBufferPointer) -> (any Codec)? {
  if GzipCodec.begins(bytes) == true { return GzipCodec() }
  if ZstandardCodec.begins(bytes) == true { return ZstandardCodec() }
  return nil
}

/// Whether a file that ends with these bytes may be the beginning of a compressed one.
func mayBeCompressed(_ bytes: UnsafeRawBufferPointer) -> Bool {
  GzipCodec.begins(bytes) == nil || ZstandardCodec.begins(bytes) == nil
}

/// Decompresses a whole file: members, the padding after them, and what else may follow.
struct Decompressor {
  private let codec: any Codec
  private var isBetween = false
  private var members = 0

  init(_ codec: any Codec) { self.codec = codec }

  /// Takes input and gives output; `isLast` tells that no other input follows.
  ///
  /// A fault that comes with `isLast` and without output is the end.
  mutating func step(
    _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer, isLast: Bool
  ) -> CodecStep {
    if isBetween { return next(input, isLast) }
    var step = codec.step(input, output)
    if step.isComplete {
      members += 1
      isBetween = true
    } else if step.fault == nil, isLast, step.taken == input.count, step.given < output.count {
      step.fault = "it ends in the middle of its \(codec.name) data"
    }
    return step
  }

  /// After a member: zeros are padding, another member is read, anything else is told.
  private mutating func next(_ input: UnsafeRawBufferPointer, _ isLast: Bool) -> CodecStep {
    let zeros = input.prefix { $0 == 0 }.count
    let rest = UnsafeRawBufferPointer(rebasing: input[zeros...])
    guard !rest.isEmpty else { return CodecStep(taken: zeros, isComplete: isLast) }
    switch codec.begins(rest) {
    case true?:
      codec.reset()
      isBetween = false
      return CodecStep(taken: zeros)
    case nil where !isLast: return CodecStep(taken: zeros)
    default:
      let fault = "what follows its last \(codec.name) member is no \(codec.name) data"
      return CodecStep(taken: zeros, fault: fault)
    }
  }
}

private final class GzipCodec: Codec {
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

private final class ZstandardCodec: Codec {
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
