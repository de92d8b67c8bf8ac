import Foundation

/// The Swift side of a benchmark: sets up, says "ready", then answers each line of standard input
/// with one line. The driver decides what runs when, so that the two sides alternate.
///
/// Lines: `run` answers the seconds of one pass, `dump FILE` writes the results of a pass,
/// `stages` answers where the time went.
@main
struct Main {
  static func main() async throws {
    let arguments = CommandLine.arguments.dropFirst()
    guard let name = arguments.first else {
      fatalError("usage: spo-bench tokenizer|engine|reading …")
    }
    if name == "empty" { return }  // the peer of the start-up benchmark
    let rest = Array(arguments.dropFirst())
    let subject: any Benchmark =
      switch name {
      case "tokenizer": try TokenizerBenchmark(rest)
      case "reading": ReadingBenchmark(rest)
      default: try EngineBenchmark(rest)
      }
    reply("ready")
    while let line = readLine() {
      let words = line.split(separator: " ").map(String.init)
      switch words.first {
      case "run": reply("\(try await seconds(subject))")
      case "dump":
        try subject.results().write(to: URL(fileURLWithPath: words[1]))
        reply("done")
      case "stages": reply(subject.stages)
      default: return
      }
    }
  }

  private static func seconds(_ subject: any Benchmark) async throws -> Double {
    let begin = ContinuousClock.now
    try await subject.pass()
    let elapsed = (ContinuousClock.now - begin).components
    return Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
  }

  private static func reply(_ line: String) {
    FileHandle.standardOutput.write(Data("\(line)\n".utf8))
  }
}

/// One side of a comparison.
protocol Benchmark: AnyObject {
  /// One whole pass over the input; what is timed.
  func pass() async throws
  /// The results of the last pass, for the driver to compare.
  func results() throws -> Data
  /// Shares of the time by part, for reading.
  var stages: String { get }
}
