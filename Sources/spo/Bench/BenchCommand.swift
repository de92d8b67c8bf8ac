internal import ArgumentParser
internal import DocumentIO
internal import Foundation
internal import Inference
internal import RelationExtraction
internal import RelationServing
internal import Triton
internal import WordPiece

/// Measures a served model with the user's own sentences.
struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure a served model with real sentences.",
    discussion: """
      Sentences are batched as spo extract does and sent with more and more requests in flight, \
      each number until the rate is stable. Latencies are of a request of one batch; queue and \
      compute are the server's own account, outside is what is left: wire and client.

      EXAMPLE
        spo bench news.txt --server localhost:8001 --model spo_onnx
        spo bench news.txt --server localhost:8001 --in-flight 1,4,16 --p99 200 --json
      """)

  @Argument(help: ArgumentHelp("Files, directories, patterns or -.", valueName: "input"))
  var inputs: [String] = []

  @OptionGroup var bundle: BundleOptions
  @OptionGroup var served: ServedModelOptions

  @Option(help: ArgumentHelp("Sentences to take from the input.", valueName: "n"))
  var sentences = 1_000

  @Option(help: ArgumentHelp("Field or column that holds the text.", valueName: "name"))
  var textField = "text"

  @Option(help: ArgumentHelp("Numbers of requests in flight.", valueName: "n,n,…"))
  var inFlight = "1,2,4,8"

  @Option(
    help: ArgumentHelp("Most sentences of one request. Default: the model's.", valueName: "n"))
  var rows: Int?

  @Option(help: ArgumentHelp("Length of one measured window.", valueName: "seconds"))
  var window = 5.0

  @Option(help: ArgumentHelp("Ask for the most throughput with p99 below this.", valueName: "ms"))
  var p99: Double?

  @Flag(help: "Write JSON.")
  var json = false

  private var numbers: [Int] { inFlight.split(separator: ",").map { Int($0) ?? 0 } }

  func validate() throws {
    guard served.server != nil else {
      throw ValidationError("spo bench is about a server; give --server HOST:PORT")
    }
    guard !numbers.isEmpty, numbers.allSatisfy({ (1...4_096).contains($0) }) else {
      throw ValidationError("--in-flight is \(inFlight), expected numbers such as 1,2,4,8")
    }
    guard sentences >= 1, rows ?? 1 >= 1, (0.05...600).contains(window), p99 ?? 1 > 0 else {
      throw ValidationError("--sentences, --rows and --p99 are above 0, --window is 0.05...600 s")
    }
  }

  func run() async throws {
    let bundle = try bundle.load()
    let texts = try await RecordSource.texts(of: inputs, field: textField, limit: sentences)
    let client = try served.answers.client(served.server!)  // validate has looked
    var report: BenchReport?
    for number in numbers {
      var settings = try served.configuration()
      settings.concurrency = number
      let engine = try await TritonEngine(
        client: client, model: served.model, bundle: bundle, configuration: settings)
      try await engine.closing { engine in
        let work = BenchWork(texts, bundle.vocabulary, engine, rows: rows)
        if report == nil, work.cut > 0 {
          Terminal.say("\(work.cut) sentences are longer than the model takes: measured cut")
        }
        let point = try await measure(engine, client, work, number)
        var all = report ?? empty(engine, work)
        all.points.append(point)
        report = all
      }
    }
    await client.close()
    guard var report else { return }
    report.best = BenchReport.best(report.points, bound: p99)
    try StandardOutput().write((json ? try report.json : report.text) + "\n")
  }

  private func empty(_ engine: TritonEngine, _ work: BenchWork) -> BenchReport {
    BenchReport(
      server: served.server ?? "", model: engine.plan.primary.model,
      route: engine.plan.primary.route.rawValue, sentences: work.sentences,
      tokensPerSentence: work.tokensPerSentence, paddedCells: work.paddedCells, points: [],
      bound: p99)
  }

  private func measure(
    _ engine: TritonEngine, _ client: TritonClient, _ work: BenchWork, _ number: Int
  ) async throws -> BenchPoint {
    let generator = LoadGenerator(
      engine: engine, batches: work.batches, inFlight: number,
      window: .milliseconds(Int64(window * 1_000)), threshold: 0)
    let (before, cpu) = (engine.statistics, Self.processorSeconds)
    let statistics = try? await client.modelStatistics()
    let load = try await generator.run()
    let now = try? await client.modelStatistics()
    let (after, used) = (engine.statistics, Self.processorSeconds - cpu)
    let primary = engine.plan.primary
    let share = ServerShare(
      statistics ?? [], now ?? [],
      ensemble: primary.route == .compactEnsemble ? primary.model : nil)
    // Windows that were not counted have sent and computed too.
    let answered = Double(max(1, after.sentences - before.sentences))
    let mean = load.latencies.reduce(.zero, +).milliseconds / Double(max(1, load.latencies.count))
    return BenchPoint(
      inFlight: number, sentencesPerSecond: load.rate, p50Milliseconds: load.percentile(0.5),
      p90Milliseconds: load.percentile(0.9), p99Milliseconds: load.percentile(0.99),
      queueMilliseconds: share.queue, computeMilliseconds: share.compute,
      outsideMilliseconds: max(0, mean - share.queue - share.compute), serverBatch: share.batch,
      sentBytesPerSentence: Double(after.bytesSent - before.bytesSent) / answered,
      receivedBytesPerSentence: Double(after.bytesReceived - before.bytesReceived) / answered,
      clientMicrosecondsPerSentence: used * 1e6 / answered, requests: load.latencies.count,
      isStable: load.isStable)
  }

  /// User and system time of this process.
  private static var processorSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}

/// The sentences in the batches that they are sent in.
struct BenchWork {
  let batches: [InferenceBatch]
  let sentences: Int
  let tokensPerSentence: Double
  let paddedCells: Double
  /// Sentences that were cut to the model's length: here only their cost counts.
  let cut: Int

  /// Tokenizes and plans.
  init(_ texts: [String], _ vocabulary: Vocabulary, _ engine: TritonEngine, rows: Int?) {
    let tokenizer = BertTokenizer(vocabulary: vocabulary)
    let longest = engine.shape.maximumTokens
    let whole = texts.map { tokenizer.encode($0).ids }
    cut = whole.count { $0.count > longest }
    let ids = whole.map {
      $0.count <= longest ? $0 : $0.prefix(longest - 1) + [vocabulary.separator]
    }
    let lengths = ids.map(\.count)
    var limits = engine.limits
    if let rows { limits.batchRows = min(rows, limits.batchRows) }
    let planner = BatchPlanner(
      limits, buckets: LengthBuckets(lengths: lengths), maximumTokens: longest)
    let plan = planner.plan(lengths: lengths)
    batches = plan.map { batch in
      var request = InferenceBatch(batch.sentences.map { ids[$0] })
      request.paddedLength = batch.length
      return request
    }.shuffled()  // so that every window sees short and long ones
    sentences = texts.count
    tokensPerSentence = Double(lengths.reduce(0, +)) / Double(max(1, texts.count))
    let real = lengths.reduce(0) { $0 + $1 * $1 }
    let padded = plan.reduce(0) { $0 + $1.sentences.count * $1.length * $1.length }
    paddedCells = Double(padded) / Double(max(1, real))
  }
}
