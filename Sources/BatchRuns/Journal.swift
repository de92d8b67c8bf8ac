internal import Digest
internal import DocumentIO
internal import Foundation

/// The journal of a run: what it is, and the checkpoints that it has reached, a line each.
///
/// A line begins with the first 16 digits of the SHA-256 of the JSON behind it. The last line may
/// be torn by whatever ended the run; lines count up to the first that is not whole.
final class Journal {
  /// What a journal holds.
  struct Contents {
    var identity: RunIdentity
    var checkpoint: Checkpoint?
    /// Bytes of its whole lines.
    var length: Int
  }

  /// The first line.
  private struct Head: Codable {
    var journal: Int
    var run: RunIdentity
  }

  private static let version = 1
  let name: FileName
  private let system: SystemCalls
  private let descriptor: Int32
  private var length = 0

  /// Opens it, which no other run may have open; makes it where it is not there.
  init(_ name: FileName, system: SystemCalls) throws {
    (self.name, self.system) = (name, system.patient)
    do throws(SystemError) {
      let flags = O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW
      descriptor = try system.patient.open(name, flags, 0o666)
    } catch { throw Self.failed("open", name, error) }
    // From here on a failure deinitializes this object, which closes the file.
    do throws(SystemError) { try lock() } catch {
      guard error.code != EWOULDBLOCK else {
        throw InputOutputError(.conflict, "another run has \(terminalText(name.text)) open")
      }
      throw Self.failed("lock", name, error)
    }
  }

  deinit { try? system.close(descriptor) }

  private func lock() throws(SystemError) {
    do throws(SystemError) { try system.lock(descriptor) } catch {
      // Some file systems have no locks.
      guard [ENOLCK, ENOTSUP, EINVAL, ENOSYS].contains(error.code) else { throw error }
    }
  }

  static func failed(_ what: String, _ name: FileName, _ error: SystemError) -> InputOutputError {
    InputOutputError(.output, "cannot \(what) \(terminalText(name.text)): \(error)")
  }

  /// Begins anew: what it held, which was found to be a journal, is gone.
  func begin(_ identity: RunIdentity) throws {
    do throws(SystemError) {
      try system.truncate(descriptor, 0)
      length = 0
    } catch { throw Self.failed("write to", name, error) }
    try append(Head(journal: Self.version, run: identity))
    try synchronizeDirectory()
  }

  /// Adds a checkpoint, which the disk holds when this returns.
  func add(_ checkpoint: Checkpoint) throws { try append(checkpoint) }

  /// Goes on behind its whole lines.
  func resume(at contents: Contents) throws {
    do throws(SystemError) { try system.truncate(descriptor, contents.length) } catch {
      throw Self.failed("write to", name, error)
    }
    length = contents.length
  }

  /// Takes it away: the run is done.
  func remove() throws {
    do throws(SystemError) { try system.unlink(name) } catch {
      throw Self.failed("remove", name, error)
    }
    try synchronizeDirectory()
  }

  func synchronizeDirectory() throws {
    do throws(SystemError) { try system.synchronizeDirectory(of: name) } catch {
      throw Self.failed("have the disk hold", name, error)
    }
  }

  private func append(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let json = Array(try encoder.encode(value))
    let line = Array(try Self.check(json[...]).utf8) + [0x20] + json + [0x0A]
    do throws(SystemError) {
      try system.writeAll(line, to: descriptor)
      do throws(SystemError) { try system.synchronize(descriptor) } catch {
        guard error.code == EINVAL else { throw error }
      }
      length += line.count
    } catch {
      // What is half there would hide what comes behind it.
      try? system.truncate(descriptor, length)
      throw Self.failed("write to", name, error)
    }
  }

  private static func check(_ json: ArraySlice<UInt8>) throws -> String {
    let digest = try SHA256()
    try json.withUnsafeBytes { try digest.update($0) }
    return String(try digest.finish().prefix(16))
  }
}

extension Journal {
  /// What it holds; nil where not even its first line is whole: such a run has written nothing.
  ///
  /// - Throws: `InputOutputError` where it cannot be read, is of another version, or is no journal.
  func contents() throws -> Contents? {
    let bytes = try ownBytes()
    var contents: Contents?
    var start = 0
    while let end = bytes[start...].firstIndex(of: 0x0A),
      let json = try Self.json(of: bytes[start..<end])
    {
      let data = Data(json)
      if contents == nil {
        contents = Contents(identity: try head(data).run, checkpoint: nil, length: 0)
      } else {
        contents?.checkpoint = try JSONDecoder().decode(Checkpoint.self, from: data)
      }
      start = end + 1
      contents?.length = start
    }
    return contents
  }

  /// Makes sure that it may be given up: that it is a journal, of whatever version, or nothing.
  func requireJournal() throws { _ = try ownBytes() }

  private func ownBytes() throws -> [UInt8] {
    let bytes: [UInt8]
    do throws(SystemError) { bytes = try rest(of: descriptor, system) } catch {
      throw Self.failed("read", name, error)
    }
    guard Self.mayBeJournal(bytes) else {
      throw InputOutputError(
        .conflict,
        "\(terminalText(name.text)) is there and is no journal of a run; name another "
          + "--output, or move it away")
    }
    return bytes
  }

  /// Whether a file begins as a journal does, as far as the disk got it; zeros stand for what it
  /// did not get.
  private static func mayBeJournal(_ bytes: [UInt8]) -> Bool {
    let head = Array(#" {"journal":"#.utf8)
    let begin = bytes.prefix(16 + head.count).prefix { $0 != 0 }
    return begin.prefix(16).allSatisfy { "0123456789abcdef".utf8.contains($0) }
      && head.starts(with: begin.dropFirst(16))
  }

  private func head(_ data: Data) throws -> Head {
    do { return try JSONDecoder().decode(Head.self, from: data) } catch {
      throw InputOutputError(
        .conflict,
        "\(terminalText(name.text)) is of another version of this program; finish the run "
          + "with that, or begin anew (--restart)")
    }
  }

  /// The JSON of a line that is whole.
  private static func json(of line: ArraySlice<UInt8>) throws -> ArraySlice<UInt8>? {
    guard line.count > 17, line[line.startIndex + 16] == 0x20 else { return nil }
    let json = line.dropFirst(17)
    return try check(json).utf8.elementsEqual(line.prefix(16)) ? json : nil
  }
}
