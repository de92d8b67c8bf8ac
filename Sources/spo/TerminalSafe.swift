internal import DocumentIO

extension String {
  /// The text with everything escaped that would command a terminal, or reorder what it shows; see
  /// `terminalText`.
  ///
  /// Texts of servers, of files and of their names reach people through it. Line feeds and tabs stay.
  var terminalSafe: String { terminalText(self) { $0 == "\n" || $0 == "\t" } }

  /// The same in one line: a cell of a table, the name of a thing.
  var terminalSafeLine: String { terminalText(self) }
}
