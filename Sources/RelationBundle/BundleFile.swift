internal import Digest
internal import Foundation

/// A file of a bundle, held open from the moment it is read: what replaces it later by the same
/// name is not it, and what is written into it is noticed.
package final class BundleFile: Sendable {
  /// Where it was opened.
  package let path: String
  private let descriptor: Descriptor
  private let identity: FileIdentity

  /// The number of bytes.
  package var count: Int { identity.byteCount }

  /// Opens a file of which bytes can be read at any place.
  ///
  /// - Throws: `BundleError` for what cannot be opened, is no regular file, is being written, or
  ///   is the pointer that Git LFS leaves in a file's place.
  package init(path: String) throws(BundleError) {
    self.path = path
    descriptor = try Descriptor(path)
    var identity = try descriptor.identity(path)
    if (0..<FileIdentity.ticks).contains(identity.age) {
      // From here on no change can hide behind the times of the last one.
      usleep(UInt32(FileIdentity.ticks / 1_000))
      let later = try descriptor.identity(path)
      guard later.isUnwritten(since: identity) else { throw BundleError(path, Self.isWritten) }
      identity = later
    }
    self.identity = identity
    try refusePointer()
  }

  private static let isWritten = "it is being written; give it when it is whole"

  /// Reads the bytes from `offset` on into `bytes`, all of them.
  package func read(
    at offset: Int, into bytes: UnsafeMutableRawBufferPointer
  ) throws(BundleError) {
    precondition(offset >= 0 && offset + bytes.count <= count, "range outside the file")
    var done = 0
    while done < bytes.count {
      let got = pread(
        descriptor.number, bytes.baseAddress! + done,  // a range that is not empty has an address
        bytes.count - done, off_t(offset + done))
      if got < 0, errno == EINTR { continue }
      guard got >= 0 else { throw BundleError(path, Descriptor.reason(errno)) }
      guard got > 0 else {
        throw BundleError(
          path, "it ended after \(offset + done) of \(count) bytes; it was truncated meanwhile")
      }
      done += got
    }
  }

  /// All bytes of a file that has at most `limit`.
  package func contents(atMost limit: Int) throws(BundleError) -> [UInt8] {
    guard count <= limit else {
      throw BundleError(path, "it has \(count) bytes, expected at most \(limit)")
    }
    return try bytes(0..<count)
  }

  /// The bytes of a range, which must lie within the file.
  package func bytes(_ range: Range<Int>) throws(BundleError) -> [UInt8] {
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: range.count, alignment: 16)
    defer { bytes.deallocate() }
    try read(at: range.lowerBound, into: bytes)
    return Array(bytes)
  }

  /// Throws when the open file is not what it was when it was opened.
  package func requireUnchanged() throws(BundleError) {
    guard try descriptor.identity(path).isUnwritten(since: identity) else {
      throw BundleError(path, "it was changed after it was opened; start again with the whole file")
    }
  }

  /// Throws as `requireUnchanged`, and when the path names another file by now.
  ///
  /// What somebody else has read by the path before this call was this file.
  package func requireInPlace() throws(BundleError) {
    try requireUnchanged()
    guard try Descriptor(path).identity(path).isUnwritten(since: identity) else {
      throw BundleError(path, "it was replaced while it was read; start again")
    }
  }

  private func refusePointer() throws(BundleError) {
    let first = Array("version https://git-lfs.github.com/spec/".utf8)
    guard count >= first.count, try bytes(0..<first.count) == first else { return }
    throw BundleError(
      path, "it is a Git LFS pointer, not the file itself; fetch the file with: git lfs pull")
  }
}

extension BundleFile {
  /// The digest of the bytes, in hexadecimal, or why it cannot be told: SHA-256.
  package func digest() -> FileDigest {
    let name = URL(fileURLWithPath: path).lastPathComponent
    do {
      return FileDigest(file: name, sha256: try hash(), note: nil)
    } catch {
      return FileDigest(file: name, sha256: nil, note: "\(error)")
    }
  }

  private func hash() throws -> String {
    let digest = try SHA256()
    var piece = [UInt8](repeating: 0, count: min(max(count, 1), 1 << 20))
    for offset in stride(from: 0, to: count, by: piece.count) {
      try piece.withUnsafeMutableBytes { piece in
        let bytes = UnsafeMutableRawBufferPointer(rebasing: piece.prefix(count - offset))
        try read(at: offset, into: bytes)
        try digest.update(UnsafeRawBufferPointer(bytes))
      }
    }
    // Looked at last: what was hashed is what was there all the time.
    try requireUnchanged()
    return try digest.finish()
  }
}
