internal import ArgumentParser
internal import DocumentIO
internal import Foundation
internal import RelationExtraction

@main
struct Spo: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "spo",
    abstract: "Subject-predicate-object triples from Chinese text.",
    discussion: """
      EXAMPLE
        spo extract --text '《离开》是由张宇谱曲，演唱'
        spo extract news.txt --server localhost:8001 --model spo_onnx > triples.jsonl
        spo extract news.jsonl --text-field content --rejects bad.jsonl > triples.jsonl

      EXIT CODES
        0   all done
        1   done, but some records were rejected, or what was compared differs
        2   usage or configuration
        3   the server cannot be reached or is not ready: worth another try
        42  permanent: schema, vocabulary, weights or the served model do not fit
        74  the output could not be written
        130 interrupted
      """,
    version: "0.1.0",
    subcommands: [
      ExtractCommand.self, MergeCommand.self, TokenizeCommand.self, BenchCommand.self, EvalCommand.self,
      CompareCommand.self,
      ServerCommand.self, DoctorCommand.self,
    ])

  /// Runs a command with SIGINT as cancellation, and every failure as its documented exit code.
  static func main() async {
    signal(SIGPIPE, SIG_IGN)
    // gRPC's core logs what errors already tell; a user's own choice stands.
    setenv("GRPC_VERBOSITY", "NONE", 0)
    do {
      try await Interruption.run {
        var command = try parseAsRoot()
        if var asynchronous = command as? any AsyncParsableCommand {
          try await asynchronous.run()
        } else {
          try command.run()
        }
      }
    } catch let error as InputOutputError where error.kind == .closedPipe {
      return  // whoever read the output has seen enough
    } catch {
      finish(error)
    }
  }

  private static func finish(_ error: any Error) -> Never {
    if error is CancellationError {
      Terminal.say("interrupted; the lines written so far are whole")
      Foundation.exit(ExitStatus.interrupted)
    }
    if let status = ExitStatus.of(error) {
      Terminal.say("error: \(error)")
      Foundation.exit(status)
    }
    // ArgumentParser's own: help and version are no failures, all else is usage.
    let code = exitCode(for: error)
    let message = fullMessage(for: error)
    if code == .success { write(message) } else if !message.isEmpty { Terminal.say(message) }
    Foundation.exit(code == .validationFailure ? ExitStatus.usage : code.rawValue)
  }

  /// Help or version: a result as any other.
  private static func write(_ message: String) {
    do { try StandardOutput().write(message + "\n") } catch {
      if (error as? InputOutputError)?.kind == .closedPipe { return }
      Terminal.say("error: \(error)")
      Foundation.exit(ExitStatus.output)
    }
  }
}
