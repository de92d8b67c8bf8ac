/// The files that the given inputs name, in order: files, directories, patterns, and `-`.
///
/// Of a directory, and of those below it, files are taken whose ending tells a format, by the
/// order of their paths; names that begin with a dot and `__MACOSX` are left out. Links are
/// followed, each directory once. Of a pattern (`*`, `?`, `[…]`) each match is taken as if it had
/// been given, directories with all that is below them; a name that is there is no pattern,
/// whatever characters it has. What cannot be read is told in a notice, and the others are taken.
///
/// - Throws: `InputOutputError` when an input names nothing.
public func discoverInputs(_ inputs: [FileName]) throws(InputOutputError) -> Inputs {
  try discoverInputs(inputs, system: .real)
}

package func discoverInputs(
  _ inputs: [FileName], system: SystemCalls
) throws(InputOutputError) -> Inputs {
  var discovery = InputDiscovery(system: system)
  for input in inputs { try discovery.add(input) }
  return discovery.found
}

private struct InputDiscovery {
  let system: SystemCalls
  private(set) var found = Inputs(files: [])
  /// Directories of this input that have been walked.
  private var walked: Set<FileIdentity> = []
  private var others: [FileName] = []

  init(system: SystemCalls) { self.system = system.patient }

  mutating func add(_ input: FileName) throws(InputOutputError) {
    (walked, others) = ([], [])
    if input == InputFile.standardInput.name { return addStandardInput() }
    if exists(input) { return add(input, isNamed: true) }
    var notices: [InputNotice] = []
    let matches = expand(input, system: system, &notices)
    found.notices += notices
    guard !matches.isEmpty || !notices.isEmpty else {
      throw InputOutputError(
        .input, "there is no file, directory or match for \(terminalText(input.text))")
    }
    for match in matches { add(match, isNamed: false) }
  }

  private mutating func addStandardInput() {
    var file = InputFile.standardInput
    if let status = try? system.descriptorStatus(0), status.kind == .regular {
      file.identity = status.identity
    }
    found.files.append(file)
  }

  /// Whether a name is there, be it a link to nothing.
  private func exists(_ name: FileName) -> Bool {
    do throws(SystemError) {
      _ = try system.status(name, false)
      return true
    } catch { return !error.isMissing }
  }

  /// A name that was given or matched: a directory is walked, all else is to be read.
  private mutating func add(_ name: FileName, isNamed: Bool) {
    do throws(SystemError) {
      let status = try system.status(name, true)
      guard status.kind == .directory else {
        return found.files.append(file(name, status, isNamed: isNamed))
      }
      let before = (found.files.count, found.notices.count)
      var files: [InputFile] = []
      walk(name, status.identity, &files)
      found.files += files.sorted { $0.name < $1.name }
      tellOthers(name, isEmpty: files.isEmpty && found.notices.count == before.1)
    } catch {
      tell(name, error)
    }
  }

  private func file(_ name: FileName, _ status: FileStatus, isNamed: Bool) -> InputFile {
    let isRegular = status.kind == .regular
    return InputFile(
      name, byteCount: isRegular ? status.size : nil, isNamed: isNamed,
      identity: isRegular ? status.identity : nil)
  }

  private mutating func tell(_ name: FileName, _ error: SystemError) {
    let shown = terminalText(name.text)
    let isDangling = error.isMissing && exists(name)
    let reason = isDangling ? "it is a link to nothing" : "\(error)"
    notice("\(shown) cannot be read: \(reason)", isFailure: true)
  }

  private mutating func notice(_ text: String, isFailure: Bool) {
    found.notices.append(InputNotice(text, isFailure: isFailure))
  }

  private mutating func walk(
    _ directory: FileName, _ identity: FileIdentity, _ files: inout [InputFile]
  ) {
    guard walked.insert(identity).inserted else {
      let shown = terminalText(directory.text)
      return notice("\(shown) is a directory that is read by another name", isFailure: false)
    }
    do throws(SystemError) {
      let names = try system.list(directory)
      for name in names.sorted() where !isHidden(name) {
        addBelow(directory.appending(name), &files)
      }
    } catch {
      tell(directory, error)
    }
  }

  private func isHidden(_ name: FileName) -> Bool {
    name.bytes.first == UInt8(ascii: ".") || name == FileName("__MACOSX")
  }

  private mutating func addBelow(_ path: FileName, _ files: inout [InputFile]) {
    do throws(SystemError) {
      let status = try system.status(path, true)
      if status.kind == .directory { return walk(path, status.identity, &files) }
      guard InputFormat(name: path) != nil || isPacked(path) else { return others.append(path) }
      guard status.kind == .regular else {
        let shown = terminalText(path.text)
        return notice(
          "\(shown) is a \(status.kind), which is read only when it is named itself",
          isFailure: true)
      }
      files.append(file(path, status, isNamed: false))
    } catch {
      tell(path, error)
    }
  }

  /// A file of a known format in a compression that is not read: it is to be told, not left out.
  private func isPacked(_ path: FileName) -> Bool {
    let parts = path.lastComponent.text.split(separator: ".").map { $0.lowercased() }
    guard parts.count > 2,
      ["xz", "bz2", "lz4", "lzma", "zip", "7z"].contains(parts[parts.count - 1])
    else { return false }
    return InputFormat.endings.contains(parts[parts.count - 2])
  }

  /// Says what a directory holds that is not read.
  private mutating func tellOthers(_ directory: FileName, isEmpty: Bool) {
    let shown = terminalText(directory.text)
    let endings = InputFormat.endings.joined(separator: ", ")
    if isEmpty {
      notice(
        "\(shown) holds no file ending in \(endings), with or without .gz or .zst",
        isFailure: true)
    } else if let first = others.first {
      notice(
        "\(shown): \(others.count) files with other endings than \(endings) are left out, such as "
          + terminalText(first.text), isFailure: false)
    }
  }
}
