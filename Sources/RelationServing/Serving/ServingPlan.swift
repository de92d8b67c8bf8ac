internal import Triton

/// A way to have sentences read by a served model, best first.
public enum ServingRoute: String, Sendable, CaseIterable {
  /// An export that decodes in its own graph and never makes the dense tensors.
  case compactNative = "compact-native"
  /// An ensemble of the dense model and `spo_decode`.
  case compactEnsemble = "compact-ensemble"
  /// Dense tensors through memory that server and client share.
  case denseSharedMemory = "dense-shm"
  /// Dense tensors through gRPC.
  case dense

  /// Whether the server decodes.
  public var isCompact: Bool { self == .compactNative || self == .compactEnsemble }
}

/// How an engine has its sentences read, and why so.
public struct ServingPlan: Sendable {
  /// One way, and what was found of it.
  public struct Option: Sendable {
    /// The way.
    public var route: ServingRoute
    /// The model that would be asked.
    public var model: String
    /// Its tensors; nil when it cannot be used.
    public var contract: ModelContract?
    /// Why it can be used, or why not.
    public var verdict: String
  }

  /// Every way that was looked at, best first.
  public let options: [Option]
  /// The one that is taken first.
  public let primary: Option
  /// The one that reads what a compact answer may have cut; nil when there is none.
  public let dense: Option?

  /// Takes the best usable option, or the wanted one.
  ///
  /// - Throws: `TritonError` of class `contract` with the verdicts when there is none.
  init(_ options: [Option], wanted: ServingRoute?) throws {
    let order = ServingRoute.allCases
    self.options = options.enumerated().sorted { a, b in
      (order.firstIndex(of: a.element.route)!, a.offset)
        < (order.firstIndex(of: b.element.route)!, b.offset)  // every route is in allCases
    }.map(\.element)
    let usable = self.options.filter { $0.contract != nil }
    dense = usable.first { !$0.route.isCompact }
    guard let primary = usable.first(where: { wanted == nil || $0.route == wanted }) else {
      let looked = self.options.filter { wanted == nil || $0.route == wanted }
      let found = looked.map { "\($0.model): \($0.verdict)" }.joined(separator: "; ")
      throw TritonError(
        code: .contract,
        message: "the route \(wanted?.rawValue ?? "to the model") cannot be taken: "
          + (found.isEmpty ? "the server has no such model" : found),
        remedy: "see spo doctor for what the server has")
    }
    self.primary = primary
  }

  /// A line for each option: what it is for, its route, its model and its verdict.
  public var explanation: String {
    options.map { option in
      let use =
        switch option {
        case _ where option.contract == nil: "no"
        case _ where option.isSame(primary): "chosen"
        case _ where dense.map(option.isSame) ?? false: "reserve"
        default: "unused"
        }
      let columns = [(use, 9), (option.route.rawValue, 18), (option.model, 20)]
      return columns.map { text, width in
        text + String(repeating: " ", count: max(1, width - text.count))
      }.joined() + option.verdict
    }.joined(separator: "\n")
  }
}

extension ServingPlan.Option {
  fileprivate func isSame(_ other: Self) -> Bool { route == other.route && model == other.model }
}
