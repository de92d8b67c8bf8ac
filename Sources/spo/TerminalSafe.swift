extension String {
  /// The text with everything escaped that would command a terminal, or reorder what it shows:
  /// control characters, C1 codes and marks of text direction, as in `\\u{1B}`.
  ///
  /// Texts of servers, of files and of their names reach people through it. Line feeds and tabs stay.
  var terminalSafe: String { escaped { $0 == "\n" || $0 == "\t" } }

  /// The same in one line: a cell of a table, the name of a thing.
  var terminalSafeLine: String { escaped { _ in false } }

  private func escaped(keeping isKept: (Unicode.Scalar) -> Bool) -> String {
    guard unicodeScalars.contains(where: { $0.commandsTerminal && !isKept($0) }) else {
      return self
    }
    var safe = ""
    for scalar in unicodeScalars {
      if scalar.commandsTerminal, !isKept(scalar) {
        safe += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
      } else {
        safe.unicodeScalars.append(scalar)
      }
    }
    return safe
  }
}

extension Unicode.Scalar {
  fileprivate var commandsTerminal: Bool {
    switch value {
    // C0 and DEL; C1; line and paragraph separators; embeddings, overrides and isolates.
    case 0..<0x20, 0x7F, 0x80...0x9F, 0x2028...0x202E, 0x2066...0x2069, 0x200E, 0x200F, 0x061C:
      true
    default: false
    }
  }
}
