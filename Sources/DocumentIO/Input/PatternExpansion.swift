internal import Foundation

/// The names that match a pattern of `*`, `?` and `[…]`, sorted; a component that is there as it
/// stands is no pattern. Directories that cannot be read are told.
func expand(
  _ pattern: FileName, system: SystemCalls, _ notices: inout [InputNotice]
) -> [FileName] {
  let isAbsolute = pattern.bytes.first == FileName.slash
  var found = [FileName(bytes: isAbsolute ? [FileName.slash] : [])]
  for component in pattern.bytes.split(separator: FileName.slash) {
    let name = FileName(bytes: component)
    found = found.flatMap { directory in
      matches(of: name, in: directory, system: system, &notices)
    }
  }
  return found == [FileName(bytes: [])] ? [] : found
}

private func matches(
  of pattern: FileName, in directory: FileName, system: SystemCalls,
  _ notices: inout [InputNotice]
) -> [FileName] {
  let plain = directory.appending(pattern)
  if (try? system.status(plain, false)) != nil { return [plain] }
  guard pattern.bytes.contains(where: { "*?[".utf8.contains($0) }) else { return [] }
  let place = directory.bytes.isEmpty ? FileName(".") : directory
  do throws(SystemError) {
    guard try system.status(place, true).kind == .directory else { return [] }
    let names = try system.list(place).sorted()
    return names.filter { name in
      pattern.withCString { pattern in
        name.withCString { fnmatch(pattern, $0, FNM_PERIOD | FNM_PATHNAME) == 0 }
      }
    }.map { directory.appending($0) }
  } catch {
    if !error.isMissing {
      let shown = terminalText(place.text)
      notices.append(InputNotice("\(shown) cannot be read: \(error)", isFailure: true))
    }
    return []
  }
}
