import DocumentIO
import Foundation

/// Reads every record of a file: its text and its other fields. Arguments: FILE, or FILE `source`
/// to read it as `spo extract` does, by a thread of its own that hands the records over.
final class ReadingBenchmark: Benchmark {
  private let file: InputFile
  private let isBySource: Bool
  private var records = 0
  private var textBytes = 0
  private var fieldBytes = 0

  init(_ arguments: [String]) {
    file = InputFile(FileName(arguments[0]))
    isBySource = arguments.count > 1
  }

  func pass() async throws {
    (records, textBytes, fieldBytes) = (0, 0, 0)
    if isBySource {
      for try await item in RecordSource(Inputs(files: [file])) { count(item) }
    } else {
      let reader = RecordReader(file)
      while let item = try reader.next() { count(item) }
    }
  }

  private func count(_ item: InputItem) {
    guard case .record(let record) = item else { fatalError("the file has a bad record: \(item)") }
    records += 1
    textBytes += record.text.utf8.count
    fieldBytes += record.carried.reduce(0) { $0 + $1.json.utf8.count }
  }

  var stages: String { "one" }

  /// How many records there were, and how many bytes of text in them.
  func results() throws -> Data { try JSONEncoder().encode([records, textBytes]) }
}
