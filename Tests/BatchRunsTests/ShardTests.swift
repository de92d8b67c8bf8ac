import Testing

@testable import BatchRuns

@Suite struct ShardTests {
  @Test("The surroundings of array tasks and indexed pods tell the shard")
  func environment() throws {
    let array = [
      "SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_MIN": "0", "SLURM_ARRAY_TASK_MAX": "7",
      "SLURM_ARRAY_TASK_COUNT": "8",
    ]
    #expect(try Shard(environment: array).description == "3/8")
    #expect(
      try Shard(environment: ["JOB_COMPLETION_INDEX": "2", "SPO_SHARDS": "5"]) == Shard(2, of: 5))
    // Tasks 3 and 5 of eight, sent again: the array alone would tell of two.
    var part = array
    (part["SLURM_ARRAY_TASK_MIN"], part["SLURM_ARRAY_TASK_MAX"]) = ("3", "5")
    part["SLURM_ARRAY_TASK_COUNT"] = "2"
    #expect(throws: Shard.Unknown.self) { try Shard(environment: part) }
    part["SPO_SHARDS"] = "8"
    #expect(try Shard(environment: part) == Shard(3, of: 8))
  }

  @Test(
    "Surroundings that tell no shard are refused",
    arguments: [
      [:], ["SPO_SHARDS": "3"], ["JOB_COMPLETION_INDEX": "0"],
      ["JOB_COMPLETION_INDEX": "3", "SPO_SHARDS": "3"],
      ["JOB_COMPLETION_INDEX": "x", "SPO_SHARDS": "3"],
      ["JOB_COMPLETION_INDEX": "1", "SLURM_ARRAY_TASK_ID": "1", "SPO_SHARDS": "3"],
      ["JOB_COMPLETION_INDEX": "0", "SPO_SHARDS": "0"],
      [
        "SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_MAX": "8",
        "SLURM_ARRAY_TASK_COUNT": "8",
      ],
    ])
  func none(environment: [String: String]) {
    #expect(throws: Shard.Unknown.self) { try Shard(environment: environment) }
  }
}
