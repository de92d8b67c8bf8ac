internal import ArgumentParser
internal import BatchRuns
internal import Foundation

/// How a run that may be stopped begins, and which part of the input it reads.
struct BatchOptions: ParsableArguments {
  @Flag(help: "Go on with an unfinished run; begin where there is none.")
  var resume = false

  @Flag(help: "Begin anew, and give up an unfinished run of the same output.")
  var restart = false

  @Option(
    help: ArgumentHelp(
      "Shortest time between checkpoints; they never take more than a fiftieth of the run.",
      valueName: "seconds"))
  var checkpoint = 1.0

  @Option(
    help: ArgumentHelp(
      "Read the I-th of N parts, I from 0, or that of the surroundings: env.",
      discussion:
        "env reads SLURM_ARRAY_TASK_ID or JOB_COMPLETION_INDEX, and how many there are from "
        + "SPO_SHARDS or, of a whole array 0-N, from SLURM.",
      valueName: "i/n"))
  var shard: String?

  @Flag(
    help: """
      Hash all of the inputs: a copy of them can then be resumed from, and a change in their middle \
      is seen.
      """)
  var hashInputs = false

  func validate() throws {
    guard !resume || !restart else { throw ValidationError("give --resume or --restart, not both") }
    guard checkpoint >= 0, checkpoint <= 86_400 else {
      throw ValidationError("--checkpoint is \(checkpoint), expected 0 to 86400 s")
    }
    _ = try chosenShard()
  }

  var pause: Duration { .milliseconds(Int64(checkpoint * 1_000)) }

  var start: BatchOutput.Start { resume ? .resumed : restart ? .restarted : .new }

  /// The shard that is asked for.
  func chosenShard() throws -> Shard? {
    guard let shard else { return nil }
    if shard == "env" {
      do { return try Shard(environment: ProcessInfo.processInfo.environment) } catch {
        throw ValidationError("--shard env: \(error)")
      }
    }
    guard let chosen = Shard(shard) else {
      throw ValidationError("--shard is \(shard), expected I/N with I from 0 to N-1, or env")
    }
    return chosen
  }
}
