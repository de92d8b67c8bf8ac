internal import DocumentIO

/// A text for a terminal: what would control it is shown as JSON would write it.
func visible(_ text: String) -> String { terminalText(text) }
