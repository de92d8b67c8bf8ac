extension Shard {
  /// Why the surroundings tell no shard.
  public struct Unknown: Error, CustomStringConvertible, Sendable {
    /// What was looked for, and what to set.
    public let description: String
  }

  /// The shard that a SLURM array task (`SLURM_ARRAY_TASK_ID`) or a pod of a Kubernetes Indexed Job
  /// (`JOB_COMPLETION_INDEX`) is.
  ///
  /// `SPO_SHARDS` tells how many there are. Without it an array 0-N tells that itself; an array
  /// that is a part of another, as when some tasks are sent again, does not.
  public init(environment: [String: String]) throws(Unknown) {
    func number(_ name: String) throws(Unknown) -> Int? {
      guard let text = environment[name], !text.isEmpty else { return nil }
      guard let value = Int(text) else {
        throw Unknown(description: "\(name) is \"\(text)\", expected a number")
      }
      return value
    }
    let count = try number("SPO_SHARDS")
    let (task, pod) = (try number("SLURM_ARRAY_TASK_ID"), try number("JOB_COMPLETION_INDEX"))
    guard let index = task ?? pod, task == nil || pod == nil else {
      throw Unknown(
        description: task == nil
          ? "neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set; give the shard as I/N"
          : "both SLURM_ARRAY_TASK_ID and JOB_COMPLETION_INDEX are set; give the shard as I/N")
    }
    let tasks = task == nil ? nil : try number("SLURM_ARRAY_TASK_COUNT")
    let (first, last) = (try number("SLURM_ARRAY_TASK_MIN"), try number("SLURM_ARRAY_TASK_MAX"))
    let isWhole = first == 0 && last != nil && last.map { $0 + 1 } == tasks
    guard let count = count ?? (isWhole ? tasks : nil) else {
      throw Unknown(
        description: task == nil
          ? "SPO_SHARDS is not set; set it to the job's completions"
          : "the array is not 0-N, so it does not tell how many shards there are; set SPO_SHARDS")
    }
    guard let shard = Shard(index, of: count) else {
      throw Unknown(description: "there is no shard \(index) of \(count): they are 0 to \(count - 1)")
    }
    self = shard
  }
}
