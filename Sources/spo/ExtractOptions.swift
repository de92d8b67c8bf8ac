internal import DocumentIO
internal import GlobalPointer

extension ExtractCommand {
  /// Where records go.
  var records: [OutputPath] {
    [("--output", output), ("--rejects", rejects)].compactMap { option, path in
      path.map { OutputPath(option, FileName(argument: $0)) }
    }
  }

  /// The options that decide what is written.
  var writing: [String: String] {
    var options = [
      "--format": (format ?? .jsonl).rawValue, "--offsets": offsets.rawValue,
      "--threshold": "\(threshold)", "--text-field": textField,
      "--max-record-bytes": "\(maxRecordBytes)", "--excel": "\(excel)",
      "--rejects": rejects == nil ? "not given" : "given",
    ]
    options["--input-format"] = inputFormat?.rawValue
    if !predicate.isEmpty { options["--predicate"] = predicate.sorted().joined(separator: ", ") }
    options["--subject-type"] = subjectType
    options["--object-type"] = objectType
    return options
  }
}
