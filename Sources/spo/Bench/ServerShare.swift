internal import Triton

/// What the server's models did between two looks at their statistics.
struct ServerShare {
  /// Mean milliseconds of one request: in queues, and in the models of the whole chain.
  private(set) var queue = 0.0
  private(set) var compute = 0.0
  /// Rows of an average execution of the model that is executed least often.
  private(set) var batch = 0.0

  /// The difference of two looks at all models.
  ///
  /// - Parameter ensemble: its times are its steps' over again, and are left out.
  init(_ before: [ModelStatistics], _ after: [ModelStatistics], ensemble: String?) {
    let old = Dictionary(
      before.map { ("\($0.name) \($0.version)", $0) }, uniquingKeysWith: { first, _ in first })
    var least = Int.max
    for now in after where now.name != ensemble {
      let then = old["\(now.name) \(now.version)"]
      let executions = now.executions - (then?.executions ?? 0)
      guard executions > 0 else { continue }
      queue += Self.mean(now.queue, then?.queue)
      compute +=
        Self.mean(now.computeInput, then?.computeInput)
        + Self.mean(now.computeInfer, then?.computeInfer)
        + Self.mean(now.computeOutput, then?.computeOutput)
      if executions < least {
        least = executions
        batch = Double(now.inferences - (then?.inferences ?? 0)) / Double(executions)
      }
    }
  }

  private static func mean(
    _ now: ModelStatistics.Part, _ then: ModelStatistics.Part?
  ) -> Double {
    var part = now
    part.count -= then?.count ?? 0
    part.nanoseconds -= then?.nanoseconds ?? 0
    return part.meanMilliseconds
  }
}
