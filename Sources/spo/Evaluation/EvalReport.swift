internal import Evaluation
internal import Foundation

/// What `spo eval` found, as text and as JSON.
struct EvalReport {
  let evaluation: Evaluation
  let threshold: Double
  let total: Counts
  let predicates: [(predicate: String, counts: Counts)]
  let sweep: [Evaluation.Point]
  let errors: [ErrorClass: [ErrorCase]]
  /// Of the scores above the threshold: at the bundle's temperature, and at the one that fits best.
  let calibration: [Calibration]
  var files = (gold: "", predicted: "")
  var comparison: Bootstrap?
  var other: String?

  /// - Throws: `CancellationError` when the task is cancelled.
  init(_ evaluation: Evaluation, threshold: Double, _ reach: TokenReach?) throws {
    (self.evaluation, self.threshold) = (evaluation, threshold)
    let judgements = try evaluation.judgements(above: threshold)
    total = evaluation.total(judgements)
    predicates = evaluation.byPredicate(judgements)
    sweep = try evaluation.sweep()
    let errors = try judgements.flatMap { judgement in
      try Task.checkCancellation()
      return judgement.errors(reach)
    }
    self.errors = Dictionary(grouping: errors, by: \.errorClass)
    let samples = try evaluation.samples().filter { $0.score > threshold }
    let temperatures =
      [reach?.temperature ?? 1] + [try Calibration.fittedTemperature(samples)].compactMap(\.self)
    calibration = samples.isEmpty ? [] : temperatures.map { Calibration(samples, temperature: $0) }
  }

  /// The point of the sweep with the highest F1.
  var best: Evaluation.Point? { sweep.max { $0.counts.f1 < $1.counts.f1 } }

  func text(errors shown: Int) -> String {
    var parts = [summary, predicateTable]
    if !sweep.isEmpty { parts.append(sweepTable) }
    parts += calibration.map(table)
    parts.append(errorTable)
    if shown > 0, !errors.isEmpty { parts.append(examples(shown)) }
    if let comparison { parts.append(verdict(comparison)) }
    return parts.joined(separator: "\n\n")
  }

  private var summary: String {
    "\(evaluation.sentences.count) sentences, \(total.gold) gold triples, \(total.predicted) "
      + "predicted, \(total.right) right\n"
      + "P \(four(total.precision))  R \(four(total.recall))  F1 \(four(total.f1))  "
      + "(\(evaluation.scorer.rawValue) scorer)"
  }

  private var predicateTable: String {
    var table = Table("PREDICATE", "GOLD", "PREDICTED", "P", "R", "F1")
    for (name, counts) in predicates { table.rows.append([visible(name)] + row(counts)) }
    return table.description
  }

  private func row(_ counts: Counts) -> [String] {
    ["\(counts.gold)", "\(counts.predicted)"]
      + [counts.precision, counts.recall, counts.f1].map(four)
  }

  private var sweepTable: String {
    var table = Table("THRESHOLD", "GOLD", "PREDICTED", "P", "R", "F1", "")
    for point in sweep {
      let mark = point == best ? "best" : ""
      table.rows.append(
        [String(format: "%.2f", point.threshold)] + row(point.counts) + [mark])
    }
    return table.description
  }

  private func table(_ calibration: Calibration) -> String {
    var table = Table("CONFIDENCE", "PREDICTED", "MEAN", "RIGHT")
    for bin in calibration.bins where bin.count > 0 {
      table.rows.append(
        [
          String(format: "%.1f-%.1f", bin.range.lowerBound, bin.range.upperBound),
          "\(bin.count)", String(format: "%.3f", bin.confidence), String(format: "%.3f", bin.right),
        ])
    }
    return String(
      format: "sigmoid(score / %.2f) against what is right: off by %.3f in the mean\n",
      calibration.temperature, calibration.error) + table.description
  }

  /// Cases by class: predicted and wrong, gold and not found.
  var classes: [(name: ErrorClass, wrong: Int, missed: Int)] {
    ErrorClass.allCases.map { name in
      let all = errors[name] ?? []
      return (name, all.count(where: \.isPredicted), all.count { !$0.isPredicted })
    }.filter { $0.wrong + $0.missed > 0 }
  }

  private var errorTable: String {
    var table = Table("ERROR", "PREDICTED", "GOLD")
    for (name, wrong, missed) in classes {
      table.rows.append([name.rawValue, "\(wrong)", "\(missed)"])
    }
    return table.description
  }

  private func examples(_ count: Int) -> String {
    ErrorClass.allCases.flatMap { name in
      (errors[name] ?? []).prefix(count).map { error in
        let side = error.isPredicted ? "predicted" : "not found"
        let near = error.resembles.map { ", resembles \(Self.line($0))" } ?? ""
        return visible("\(name.rawValue), \(side): \(Self.line(error.statement))\(near)")
          + "\n    " + visible(error.text)
      }
    }.joined(separator: "\n")
  }

  static func line(_ statement: Statement) -> String {
    let slots = statement.slots.map { "\($0.name): \($0.value)" }.joined(separator: ", ")
    return "(\(statement.subject), \(statement.predicate), \(statement.value))"
      + (statement.slots.count > 1 ? " {\(slots)}" : "")
  }

  private func verdict(_ bootstrap: Bootstrap) -> String {
    String(
      format: "F1 %+.4f against %@; 95 %% of %d draws within %+.4f...%+.4f, reversed in %.1f %%",
      bootstrap.difference, other ?? "", bootstrap.draws, bootstrap.interval.lowerBound,
      bootstrap.interval.upperBound, 100 * bootstrap.reversed)
  }

  private func four(_ rate: Double) -> String { String(format: "%.4f", rate) }

  var json: String {
    get throws {
      func rates(_ counts: Counts) -> [String: Any] {
        [
          "gold": counts.gold, "predicted": counts.predicted, "right": counts.right,
          "found": counts.found, "precision": counts.precision, "recall": counts.recall,
          "f1": counts.f1,
        ]
      }
      var object = rates(total)
      object["scorer"] = evaluation.scorer.rawValue
      object["sentences"] = evaluation.sentences.count
      object["threshold"] = threshold
      object["predicates"] = Dictionary(
        uniqueKeysWithValues: predicates.map { ($0.predicate, rates($0.counts)) })
      object["sweep"] = sweep.map { rates($0.counts).merging(["threshold": $0.threshold]) { $1 } }
      object["errors"] = Dictionary(
        uniqueKeysWithValues: classes.map {
          ($0.name.rawValue, ["predicted": $0.wrong, "gold": $0.missed])
        })
      object["calibration"] = calibration.map { calibration in
        [
          "temperature": calibration.temperature, "error": calibration.error,
          "bins": calibration.bins.map { bin in
            [
              "from": bin.range.lowerBound, "to": bin.range.upperBound, "right": bin.right,
              "confidence": bin.confidence, "count": Double(bin.count),
            ]
          },
        ] as [String: Any]
      }
      if let comparison {
        object["comparison"] = [
          "against": other ?? "", "f1_difference": comparison.difference,
          "interval": [comparison.interval.lowerBound, comparison.interval.upperBound],
          "reversed": comparison.reversed, "draws": comparison.draws,
        ]
      }
      let options: JSONSerialization.WritingOptions = [
        .prettyPrinted, .sortedKeys, .withoutEscapingSlashes,
      ]
      let data = try JSONSerialization.data(withJSONObject: object, options: options)
      return String(decoding: data, as: UTF8.self)
    }
  }
}
