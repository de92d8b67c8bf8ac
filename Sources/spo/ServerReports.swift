internal import ArgumentParser
internal import Foundation
internal import RelationServing
internal import Triton

extension ServerCommand {
  struct Describe: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "A relation model as this client understands it.",
      discussion: "Roles of its tensors, limits, and the size of an answer at several lengths.")
    @Argument(help: "The model.") var model: String
    @Option(help: ArgumentHelp("Its version.", valueName: "n")) var modelVersion = ""
    @Option(help: ArgumentHelp("Names of its tensors, as in spo extract.", valueName: "mapping"))
    var tensors: String?
    @OptionGroup var place: Place

    func run() async throws {
      try await place.run { client in
        var contract = try await client.contract(
          of: model, version: modelVersion, names: try tensors.map { try TensorNames(parsing: $0) })
        if contract.predicateCount == nil, !contract.isCompact {
          contract.predicateCount = try await client.countPredicates(contract)
        }
        return try Report(text(contract), Summary(contract, sizes(contract)))
      }
    }

    private struct Summary: Encodable {
      var model: String
      var roles: [String: [String]]
      var maxBatchSize: Int
      var instances: Int
      var predicates: Int?
      var answerBytes: [String: Int]

      init(_ contract: ModelContract, _ sizes: [Size]) {
        model = contract.model
        roles = Dictionary(
          uniqueKeysWithValues: contract.roles.map { ($0.0, [$0.1.name, $0.1.datatype.rawValue]) })
        (maxBatchSize, instances) = (contract.maxBatchSize, contract.instances)
        predicates = contract.predicateCount
        answerBytes = Dictionary(uniqueKeysWithValues: sizes.map { ("\($0.tokens)", $0.bytes) })
      }
    }

    private struct Size { var tokens, bytes, rows: Int }

    private func sizes(_ contract: ModelContract) -> [Size] {
      guard let count = contract.isCompact ? 0 : contract.predicateCount else { return [] }
      let lengths = contract.tokens.map { [$0] } ?? [32, 64, 128, 256, 512]
      return lengths.map {
        Size(
          tokens: $0, bytes: contract.answerBytes(tokens: $0, predicates: count),
          rows: contract.rows(tokens: $0, predicates: count, within: Int(Int32.max)))
      }
    }

    private func text(_ contract: ModelContract) -> String {
      var table = Table("ROLE", "TENSOR", "TYPE", "DIMENSIONS BEHIND THE BATCH")
      for (role, tensor) in contract.roles {
        table.rows.append(
          [role, tensor.name, tensor.datatype.rawValue, "\(tensor.dimensions)"])
      }
      var lines = [
        "\(contract.model): \(contract.isCompact ? "compact" : "dense") GlobalPointer contract, at "
          + "most \(contract.maxBatchSize) rows a request, \(contract.instances) instance(s)"
          + (contract.predicateCount.map { ", \($0) predicates" } ?? ""),
        "",
        table.description, "",
      ]
      var answers = Table("TOKENS", "KIB A SENTENCE", "ROWS A REQUEST")
      for size in sizes(contract) {
        answers.rows.append(
          ["\(size.tokens)", String(format: "%.1f", Double(size.bytes) / 1_024), "\(size.rows)"])
      }
      lines.append(answers.description)
      return lines.joined(separator: "\n")
    }
  }

  struct Stats: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "What models have done: queue, compute, effective batch size.",
      discussion: "Times are means of one request in milliseconds, since the model was loaded.")
    @Argument(help: "A model; all without one.") var model = ""
    @OptionGroup var place: Place

    func run() async throws {
      try await place.run { client in
        let all = try await client.modelStatistics(model)
        var table = Table(
          "MODEL", "VERSION", "ROWS", "EXECUTIONS", "BATCH", "FAILED", "QUEUE MS", "INPUT MS",
          "INFER MS", "OUTPUT MS")
        for each in all.sorted(by: { $0.name < $1.name }) {
          let times = [each.queue, each.computeInput, each.computeInfer, each.computeOutput]
          table.rows.append(
            [each.name, each.version, "\(each.inferences)", "\(each.executions)"]
              + [String(format: "%.2f", each.effectiveBatchSize), "\(each.fail.count)"]
              + times.map { String(format: "%.3f", $0.meanMilliseconds) })
        }
        return try Report(table.description, all)
      }
    }
  }
}

extension ModelContract {
  /// The roles that the model fills, inputs first.
  var roles: [(String, Tensor)] {
    let inputs: [(String, Tensor?)] = [
      ("sample id", sampleID), ("token ids", tokenIDs), ("token types", tokenTypes), ("mask", mask),
    ]
    let answers =
      isCompact
      ? ["triples", "scores", "spans", "span scores", "not finite"]
      : ["entity", "so_head", "so_tail"]
    return inputs.compactMap { role, tensor in tensor.map { (role, $0) } } + zip(answers, outputs)
  }
}
