internal import Texts

/// Other names of entities, or places that stand for others; see the scorers.
public struct Aliases: Sendable {
  private var names: [ExactText: Set<ExactText>] = [:]

  /// None.
  public init() {}

  /// Reads lines of a name and its other names, tab-separated, by the rules of the data sets'
  /// scripts: white space around a line does not count, case does not, and a later line of a name
  /// replaces an earlier one.
  public init(lines: some Sequence<String>) {
    for line in lines {
      let words = line.strippedAsInPython().utf8.split(
        separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false
      ).map { ExactText(String(Substring($0)).lowercasedAsInPython()) }
      guard let name = words.first, !name.text.isEmpty else { continue }
      names[name] = Set(words.dropFirst())
    }
  }

  /// Whether there is no line.
  var isEmpty: Bool { names.isEmpty }

  /// Whether a line of `name` lists the other one.
  func lists(_ name: String, _ other: String) -> Bool {
    names[ExactText(name)]?.contains(ExactText(other)) ?? false
  }

  /// Whether `other` is the name or one of its other names.
  func allow(_ name: String, for other: String) -> Bool {
    name.isExactly(other) || lists(name, other)
  }
}
