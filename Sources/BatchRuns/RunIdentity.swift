public import DocumentIO

/// What decides the bytes of a run's output: a run that is gone on with must have the same.
public struct RunIdentity: Sendable, Hashable, Codable {
  /// The program and its version.
  public var program: String
  /// The inputs, in the order of reading.
  public var inputs: [InputIdentity]
  /// Which part of them, where there are several.
  public var shard: Shard?
  /// The model: what it is called, and hashes of what it is made of.
  public var model: [String: String]
  /// The options that decide what is written, by name.
  public var options: [String: String]

  /// An identity.
  public init(
    program: String, inputs: [InputIdentity], shard: Shard? = nil, model: [String: String],
    options: [String: String]
  ) {
    (self.program, self.inputs, self.shard) = (program, inputs, shard)
    (self.model, self.options) = (model, options)
  }

  /// What differs from an earlier one, as a sentence; nil where nothing does.
  public func difference(from earlier: RunIdentity) -> String? {
    if program != earlier.program { return "the program was \(earlier.program), now it is \(program)" }
    if shard != earlier.shard {
      return "--shard was \(shown(earlier.shard)), now it is \(shown(shard))"
    }
    return inputDifference(earlier.inputs) ?? difference(options, earlier.options, "")
      ?? difference(model, earlier.model, "of the model, ")
  }

  private func inputDifference(_ earlier: [InputIdentity]) -> String? {
    for (now, before) in zip(inputs, earlier) {
      if let difference = now.difference(from: before) { return difference }
    }
    guard inputs.count != earlier.count else { return nil }
    let odd = (inputs.count > earlier.count ? inputs : earlier)[min(inputs.count, earlier.count)]
    let verb = inputs.count > earlier.count ? "is new among" : "is gone from"
    return "\(terminalText(odd.path)) \(verb) the inputs: they were \(earlier.count), now they are "
      + "\(inputs.count)"
  }

  private func difference(
    _ now: [String: String], _ before: [String: String], _ kind: String
  ) -> String? {
    for name in Set(now.keys).union(before.keys).sorted() where now[name] != before[name] {
      return "\(kind)\(name) was \(shown(before[name])), now it is \(shown(now[name]))"
    }
    return nil
  }

  private func shown(_ value: (some CustomStringConvertible)?) -> String {
    value.map { $0.description.isEmpty ? "empty" : terminalText($0.description) } ?? "not given"
  }
}

/// One part of several that a run's inputs are cut into.
public struct Shard: Sendable, Hashable, Codable, CustomStringConvertible {
  /// Which one, from 0.
  public var index: Int
  /// How many there are.
  public var count: Int

  /// A part; nil where there is no such one.
  public init?(_ index: Int, of count: Int) {
    guard count >= 1, (0..<count).contains(index) else { return nil }
    (self.index, self.count) = (index, count)
  }

  /// `I/N`, I from 0.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let index = parts[0], let count = parts[1] else { return nil }
    self.init(index, of: count)
  }

  /// `I/N`.
  public var description: String { "\(index)/\(count)" }
}
