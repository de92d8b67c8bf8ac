public import ArgumentParser
public import RelationServing
internal import Triton

/// Which served model is asked.
struct ServedModelOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Triton's gRPC address, ip:port,ip:port for several, or dns:///name:port.",
      discussion:
        "Default: spo extract runs the model in this process, spo doctor looks at localhost:8001.",
      valueName: "host:port"))
  var server: String?

  @Option(help: ArgumentHelp("The served model.", valueName: "name"))
  var model = "spo_onnx"

  @Option(help: ArgumentHelp("Its version. Default: the server's choice.", valueName: "n"))
  var modelVersion = ""

  @Option(
    help: ArgumentHelp(
      "How the model is asked: compact-native, compact-ensemble, dense-shm or dense.",
      discussion: "Default: the first of them that the server has.", valueName: "plan"))
  var plan: ServingRoute?

  @OptionGroup var answers: AnswerOptions

  func configuration() throws -> TritonEngine.Configuration {
    var configuration = try answers.configuration()
    (configuration.version, configuration.route) = (modelVersion, plan)
    return configuration
  }
}

/// How any served model is reached and its answers are read.
struct AnswerOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Names of its tensors: ids=…,types=…,mask=…,entity=…,so_head=…,so_tail=….",
      discussion: "Default: found from the model's metadata.", valueName: "mapping"))
  var tensors: String?

  @Option(help: ArgumentHelp("Longest dense answer of one request.", valueName: "MiB"))
  var answerMemory = 256

  @OptionGroup(title: "Server options") var connection: ServerOptions

  func validate() throws {
    guard (1...2_047).contains(answerMemory) else {
      throw ValidationError("--answer-memory is \(answerMemory), expected 1...2047 MiB")
    }
  }

  /// A client that takes answers as long as they are asked for.
  func client(_ server: String) throws -> TritonClient {
    try connection.client(server, answerBytes: answerMemory << 20)
  }

  var names: TensorNames? {
    get throws { try tensors.map { try TensorNames(parsing: $0) } }
  }

  func configuration() throws -> TritonEngine.Configuration {
    var configuration = TritonEngine.Configuration()
    configuration.names = try names
    configuration.logger = TerminalLog.logger("serving")
    configuration.answerBytes = answerMemory << 20
    configuration.memory = max(configuration.memory, configuration.answerBytes)
    configuration.outagePatience = connection.patienceDuration
    configuration.logger = TerminalLog.logger("spo.serving")
    return configuration
  }
}

extension ServingRoute: ExpressibleByArgument {}
