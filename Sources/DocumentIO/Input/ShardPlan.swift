/// Cuts inputs into `count` shards, one after the other: what is read of shard 0, then of shard 1,
/// and so on, is what one reading of all gives, each record and each reject once.
///
/// The sequence of all bytes, as they lie on disk, is cut at k/`count` of its length. In a plain
/// file that is where it is cut, and a record belongs to the shard in which it begins: of plain
/// files alone, shards differ by a record's length. A compressed file, by its first bytes, is not
/// cut: a cut that falls within one goes to the nearer of its ends, so a shard has at most the
/// largest compressed file's bytes more or less than its share. A shard may be empty. The same
/// files give the same shards, on every machine.
///
/// What discovery had to say (`Inputs.notices`) is in no shard: it is for one of them to say.
///
/// - Parameter count: at least 1.
/// - Throws: `InputOutputError` where there is standard input or a pipe to cut.
public func planShards(_ inputs: Inputs, count: Int) throws(InputOutputError) -> [[InputPart]] {
  try planShards(inputs, count: count, system: .real)
}

package func planShards(
  _ inputs: Inputs, count: Int, system: SystemCalls
) throws(InputOutputError) -> [[InputPart]] {
  precondition(count > 0, "there is at least one shard")
  guard count > 1 else { return [inputs.files.map { InputPart($0) }] }
  let plan = try ShardPlan(inputs.files, count: count, system: system.patient)
  return (0..<count).map { plan.parts($0) }
}

private struct ShardPlan {
  /// A place between two bytes of the inputs.
  private struct Cut {
    /// The file; the number of files behind the last one.
    var file: Int
    /// The byte of it.
    var byte: Int
  }

  private let files: [InputFile]
  /// Where the shards begin, and where the last ends.
  private var cuts: [Cut] = [Cut(file: 0, byte: 0)]

  init(_ files: [InputFile], count: Int, system: SystemCalls) throws(InputOutputError) {
    self.files = files
    var sizes: [Int] = []
    for file in files {
      try file.checkCanBeCut(system)
      // A file that cannot be looked at is told by its reader, once.
      sizes.append(file.byteCount ?? (try? system.status(file.name, true).size) ?? 0)
    }
    let total = sizes.reduce(0, +)
    var (file, begin) = (0, 0)
    var isWhole: (file: Int, answer: Bool)?
    for number in 1..<count {
      let target = total / count * number + total % count * number / count
      while file < files.count, begin + sizes[file] <= target {
        begin += sizes[file]
        file += 1
      }
      guard file < files.count else {
        cuts.append(Cut(file: file, byte: 0))
        continue
      }
      let byte = target - begin
      if isWhole?.file != file { isWhole = (file, Self.staysWhole(files[file], system)) }
      if isWhole?.answer == false {
        cuts.append(Cut(file: file, byte: byte))
      } else {
        cuts.append(Cut(file: byte < sizes[file] - byte ? file : file + 1, byte: 0))
      }
    }
    cuts.append(Cut(file: files.count, byte: 0))
  }

  /// Whether a file is compressed, or cannot be looked at.
  private static func staysWhole(_ file: InputFile, _ system: SystemCalls) -> Bool {
    var first: [UInt8] = []
    do {
      let opened = try OpenedFile(file.name, system: system)
      try opened.read(0..<4) { first += $0 }
    } catch { return true }
    return first.withUnsafeBytes { codec(of: $0) != nil }
  }

  func parts(_ shard: Int) -> [InputPart] {
    let (begin, end) = (cuts[shard], cuts[shard + 1])
    var parts: [InputPart] = []
    for file in begin.file...end.file where file < files.count {
      let start = file == begin.file ? begin.byte : 0
      let isCut = file == end.file
      if isCut, end.byte == start { continue }
      parts.append(
        InputPart(files[file], extent: .init(start: start, end: isCut ? end.byte : nil)))
    }
    return parts
  }
}
