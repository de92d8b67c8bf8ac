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
    if isBetween { return next(input, output, isLast) }
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
  private mutating func next(
    _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer, _ isLast: Bool
  ) -> CodecStep {
    let zeros = input.prefix { $0 == 0 }.count
    let rest = UnsafeRawBufferPointer(rebasing: input[zeros...])
    guard !rest.isEmpty else { return CodecStep(taken: zeros, isComplete: isLast) }
    switch codec.begins(rest) {
    case true?:
      codec.reset()
      isBetween = false
      // A step that took and gave nothing would be the end.
      var first = step(rest, output, isLast: isLast)
      first.taken += zeros
      return first
    case nil where !isLast: return CodecStep(taken: zeros)
    default:
      let fault = "what follows its last \(codec.name) member is no \(codec.name) data"
      return CodecStep(taken: zeros, fault: fault)
    }
  }
}

extension Codec {
  func begins(_ bytes: UnsafeRawBufferPointer) -> Bool? { Self.begins(bytes) }
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
