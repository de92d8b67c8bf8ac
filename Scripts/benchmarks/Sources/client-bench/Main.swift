/// The Swift side of the benchmarks of the Triton client: a program of its own, because a process
/// that links OpenBLAS starts its worker threads, which spin for a while beside what is measured.
@main
struct Main {
  static func main() async throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    switch arguments.first {
    case "large", "small", "small-plain": try await ClientBenchmark.run(arguments)
    case "soak": try await Soak.run(Array(arguments.dropFirst()))
    case "spread": try await Spread.run(Array(arguments.dropFirst()))
    default: fatalError("usage: client-bench large|small|small-plain|soak|spread …")
    }
  }
}
