internal import CGRPC

/// A message to send: pieces in order, the large ones sent from where they lie.
///
/// It may be sent more than once (a retry): each send takes a reference of every piece.
public final class OutgoingMessage: Sendable {
  /// The number of bytes.
  public let count: Int
  // Written only in init; gRPC's reference counts are atomic.
  private nonisolated(unsafe) let slices: UnsafeMutableBufferPointer<grpc_slice>

  /// A message of these pieces.
  public init(pieces: [Piece]) {
    Core.start()
    slices = .allocate(capacity: pieces.count)
    for (index, piece) in pieces.enumerated() {
      slices.initializeElement(at: index, to: piece.slice())
    }
    count = pieces.reduce(0) { $0 + $1.count }
  }

  /// A message of one piece, copied.
  public convenience init(_ bytes: [UInt8]) { self.init(pieces: [.copied(bytes)]) }

  deinit {
    for slice in slices { grpc_slice_unref(slice) }
    slices.deallocate()
  }

  /// One piece of a message.
  public enum Piece: Sendable {
    /// Bytes that are copied once: headers.
    case copied([UInt8])
    /// Bytes that are sent from where they lie: tensors.
    case shared(SharedBytes)

    var count: Int {
      switch self {
      case .copied(let bytes): bytes.count
      case .shared(let bytes): bytes.count
      }
    }

    fileprivate func slice() -> grpc_slice {
      switch self {
      case .copied(let bytes):
        return bytes.withUnsafeBytes { grpc_slice_from_copied_buffer($0.baseAddress, $0.count) }
      case .shared(let bytes):
        // The slice's last reference may fall on any thread, long after the call.
        return grpc_slice_new_with_user_data(
          bytes.address, bytes.count,
          { Unmanaged<SharedBytes>.fromOpaque($0!).release() },
          Unmanaged.passRetained(bytes).toOpaque())
      }
    }
  }

  /// A buffer for one send; the caller destroys it.
  func makeBuffer() -> UnsafeMutablePointer<grpc_byte_buffer> {
    grpc_raw_byte_buffer_create(slices.baseAddress, slices.count)
  }
}
