/// Rows of text under headings, columns aligned; numbers to the right.
struct Table {
  let headings: [String]
  var rows: [[String]] = []

  init(_ headings: String...) { self.headings = headings }

  var description: String {
    let all = ([headings] + rows).map { $0.map(\.terminalSafeLine) }
    let widths = headings.indices.map { column in all.map { $0[column].displayWidth }.max() ?? 0 }
    return all.map { row in
      let cells = zip(row, widths).enumerated().map { column, cell in
        let padding = String(repeating: " ", count: cell.1 - cell.0.displayWidth)
        return isNumeric(column) ? padding + cell.0 : cell.0 + padding
      }
      return cells.joined(separator: "  ").trimmingTrailingSpaces
    }.joined(separator: "\n")
  }

  private func isNumeric(_ column: Int) -> Bool {
    !rows.isEmpty && rows.allSatisfy { $0[column].isEmpty || Double($0[column]) != nil }
  }
}

extension String {
  /// Terminal cells: ideographs take two.
  fileprivate var displayWidth: Int {
    unicodeScalars.reduce(0) { $0 + ($1.value >= 0x1100 && $1.value != 0x2026 ? 2 : 1) }
  }

  fileprivate var trimmingTrailingSpaces: String {
    var text = self[...]
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
