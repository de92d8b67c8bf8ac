/// A file that is to be written, and the option that says so.
public struct OutputPath: Sendable {
  /// As in `--output`.
  public var option: String
  /// The file, `-` for standard output.
  public var name: FileName

  /// An output.
  public init(_ option: String, _ name: FileName) { (self.option, self.name) = (option, name) }

  var shown: String {
    name == FileName("-") ? "standard output" : "\(option) \(terminalText(name.text))"
  }
}

/// Makes sure, before anything is opened, that no output is an input or another output, by
/// whatever name or link, and that each can be written.
///
/// An output that was found as an input in a directory or by a pattern, as it is when a run is
/// made a second time, is left out of the inputs and told in a notice. Devices, pipes and standard
/// output may be several things at once.
///
/// - Throws: `InputOutputError`, of kind `conflict` with both names, or `output`.
public func checkPaths(_ inputs: inout Inputs, outputs: [OutputPath]) throws(InputOutputError) {
  try checkPaths(&inputs, outputs: outputs, system: .real)
}

package func checkPaths(
  _ inputs: inout Inputs, outputs: [OutputPath], system: SystemCalls
) throws(InputOutputError) {
  let system = system.patient
  var seen: [(path: OutputPath, claims: Claims)] = []
  for path in outputs {
    let target = try OutputTarget(path.name, system: system)
    let claims = Claims(target, system: system)
    for (other, theirs) in seen where claims.conflict(with: theirs) {
      throw InputOutputError(
        .conflict, "\(other.shown) and \(path.shown) are the same file; name two")
    }
    try target.check(path.name, system: system)
    seen.append((path, claims))
  }
  let hadFiles = !inputs.files.isEmpty
  for (path, claims) in seen { try leaveOut(path, claims, &inputs) }
  if hadFiles, inputs.files.isEmpty {
    throw InputOutputError(.input, "there is no input but what is to be written")
  }
}

private func leaveOut(
  _ path: OutputPath, _ claims: Claims, _ inputs: inout Inputs
) throws(InputOutputError) {
  let own = inputs.files.filter { file in file.identity.map(claims.files.contains) ?? false }
  if let named = own.first(where: \.isNamed) {
    throw InputOutputError(
      .conflict, "\(path.shown) is the input \(named.shown); name another file to write to")
  }
  inputs.files.removeAll(where: own.contains)
  for file in own {
    inputs.notices.append(
      InputNotice("\(file.shown) is not read: \(path.shown) is written there", isFailure: false))
  }
}

/// The files that an output will make or replace.
private struct Claims {
  /// A name in a directory, whether there is such a file or not.
  private struct Entry: Hashable {
    var directory: FileIdentity
    var name: FileName
  }

  private(set) var files: Set<FileIdentity> = []
  private var entries: Set<Entry> = []
  private var isDescriptor = false

  init(_ target: OutputTarget, system: SystemCalls) {
    switch target {
    case .shared: break
    case .descriptor(let number):
      isDescriptor = true
      if let status = try? system.descriptorStatus(number), status.kind == .regular {
        files.insert(status.identity)
      }
    case .file(let path):
      for name in [path, partialName(path)] {
        if let status = try? system.status(name, true) { files.insert(status.identity) }
        if let directory = try? system.status(name.directory, true) {
          entries.insert(Entry(directory: directory.identity, name: name.lastComponent))
        }
      }
    }
  }

  func conflict(with other: Claims) -> Bool {
    if isDescriptor, other.isDescriptor { return false }
    return !files.isDisjoint(with: other.files) || !entries.isDisjoint(with: other.entries)
  }
}
