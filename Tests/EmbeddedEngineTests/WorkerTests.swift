import Dispatch
import GlobalPointer
import Inference
import RelationBundle
import Synchronization
import Testing

@testable import EmbeddedEngine

/// Workers that a test holds at a gate: what waits, leaves and ends is seen without sleeping.
@Suite(.timeLimit(.minutes(1))) struct WorkerTests {
  private let fixture: Fixture
  private let batch: InferenceBatch

  init() throws {
    fixture = try Fixture("global")
    batch = InferenceBatch(fixture.goldens.map(\.ids))
  }

  private func engine(
    threads: Int, pairFloats: Int? = nil, onStep: (@Sendable () -> Void)? = nil
  ) throws -> EmbeddedEngine {
    var configuration = EmbeddedEngine.Configuration()
    (configuration.precision, configuration.threads) = (.reference, threads)
    configuration.onStep = onStep
    if let pairFloats { configuration.pairFloats = pairFloats }
    return try EmbeddedEngine(
      bundle: ModelBundle(directory: fixture.directory), configuration: configuration)
  }

  /// Occupies one worker until the gate opens; returns when it has begun.
  private func occupy(_ engine: EmbeddedEngine, until gate: DispatchSemaphore) async
    -> Task<Bool, Never>
  {
    let (begun, begin) = AsyncStream.makeStream(of: Void.self)
    let task = Task {
      do throws(InferenceError) {
        try await engine.workers.perform { _, token throws(InferenceError) in
          begin.finish()
          gate.wait()
          try token.check()
        }
        return true
      } catch { return false }
    }
    for await _ in begun {}
    return task
  }

  /// The code with which a call of the whole batch ends; nil for answers.
  private func code(_ engine: EmbeddedEngine) async -> InferenceError.Code? {
    do throws(InferenceError) {
      let answers = try await engine.infer(batch, threshold: 0)
      #expect(answers.count == batch.rowCount)
      return nil
    } catch { return error.code }
  }

  /// Returns when as many calls wait.
  private func waitUntil(_ engine: EmbeddedEngine, waiting count: Int) async {
    while engine.workers.waitingCount != count { await Task.yield() }
  }

  @Test func `Bug: a short call does not wait behind a long one while a worker idles`()
    async throws
  {
    let engine = try engine(threads: 2)
    let gate = DispatchSemaphore(value: 0)
    let long = await occupy(engine, until: gate)
    // With calls dealt out in turn, each second one of these would wait for the long one.
    for _ in 0..<6 { #expect(await code(engine) == nil) }
    gate.signal()
    #expect(await long.value)
  }

  @Test func `All workers work at once`() async throws {
    let engine = try engine(threads: 3)
    let gate = DispatchSemaphore(value: 0)
    var tasks: [Task<Bool, Never>] = []
    // Each returns only when it runs while the others still do.
    for _ in 0..<3 { tasks.append(await occupy(engine, until: gate)) }
    for _ in 0..<3 { gate.signal() }
    for task in tasks { #expect(await task.value) }
  }

  @Test func `Calls that wait are run first come, first served`() async throws {
    let engine = try engine(threads: 1)
    let gate = DispatchSemaphore(value: 0)
    let long = await occupy(engine, until: gate)
    let order = Mutex<[Int]>([])
    let note: @Sendable (Int) -> Void = { number in order.withLock { $0.append(number) } }
    var calls: [Task<Void, any Error>] = []
    for number in 0..<5 {
      calls.append(
        Task {
          try await engine.workers.perform { _, _ throws(InferenceError) in
            note(number)
          }
        })
      await waitUntil(engine, waiting: number + 1)
    }
    gate.signal()
    for call in calls { try await call.value }
    #expect(await long.value)
    #expect(order.withLock { $0 } == [0, 1, 2, 3, 4])
  }

  @Test func `Bug: a call cancelled while it waits leaves the queue and returns at once`()
    async throws
  {
    let engine = try engine(threads: 1)
    let gate = DispatchSemaphore(value: 0)
    let long = await occupy(engine, until: gate)
    let calls = (0..<3).map { _ in Task { await code(engine) } }
    await waitUntil(engine, waiting: 3)
    // The only worker is held meanwhile.
    calls[1].cancel()
    #expect(engine.workers.waitingCount == 2)
    if engine.workers.waitingCount == 2 { #expect(await calls[1].value == .cancelled) }
    gate.signal()
    #expect(await long.value)
    #expect(await calls[0].value == nil)
    #expect(await calls[2].value == nil)
  }

  @Test(arguments: 1...4)
  func `A call that is cancelled while it runs ends at its next step`(last: Int) async throws {
    let steps = Mutex(0)
    let (begun, gate) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    let engine = try engine(threads: 1) {
      steps.withLock { $0 += 1 }
      begun.signal()
      gate.wait()
    }
    let call = Task { await code(engine) }
    for step in 1...last {
      await reached(begun)
      if step == last { call.cancel() }
      gate.signal()
    }
    // A call that went on would pass all its steps.
    for _ in 0..<100 { gate.signal() }
    #expect(await call.value == .cancelled)
    #expect(steps.withLock { $0 } == last)
  }

  @Test func `Scores that are cancelled while they run end at their next step`() async throws {
    let (begun, gate) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    let engine = try engine(threads: 1) {
      begun.signal()
      gate.wait()
    }
    let span = TokenSpan(start: 1, end: 1)
    let query = TripleQuery(predicate: 0, subject: span, object: span)
    let call = Task { try await engine.scores(of: [query], in: fixture.goldens[0].ids) }
    await reached(begun)
    call.cancel()
    for _ in 0..<100 { gate.signal() }
    await #expect { try await call.value } throws: { ($0 as? InferenceError)?.code == .cancelled }
  }

  /// Waits for a worker's signal without holding a thread of the concurrency runtime.
  private func reached(_ signal: DispatchSemaphore) async {
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async {
        signal.wait()
        continuation.resume()
      }
    }
  }

  @Test func `Closing ends what waits and what runs, and later calls say that it is closed`()
    async throws
  {
    let engine = try engine(threads: 2)
    let gate = DispatchSemaphore(value: 0)
    let running = [await occupy(engine, until: gate), await occupy(engine, until: gate)]
    let waiting = Task { await code(engine) }
    await waitUntil(engine, waiting: 1)
    let closing = Task { await engine.close() }
    #expect(await waiting.value == .closed)
    for _ in running { gate.signal() }
    for task in running { #expect(await !task.value) }
    await closing.value
    #expect(engine.workers.threadCount == 0)
    #expect(await code(engine) == .closed)
    await engine.close()
    await #expect { try await engine.infer(batch, threshold: 0) } throws: {
      "\($0)".contains("the engine is closed")
    }
  }

  @Test func `The threads of an engine that nobody keeps end`() async throws {
    var engine: EmbeddedEngine? = try engine(threads: 2)
    let workers = try #require(engine?.workers)
    #expect(workers.threadCount == 2)
    engine = nil
    while workers.threadCount > 0 { await Task.yield() }
  }

  @Test(arguments: [
    \EmbeddedEngine.Configuration.batchRows, \.batchTokens, \.threads!,
  ])
  func `A number of the configuration below 1 is refused`(
    number: WritableKeyPath<EmbeddedEngine.Configuration, Int> & Sendable
  ) throws {
    for value in [0, -1, Int.min] {
      var configuration = EmbeddedEngine.Configuration()
      configuration.threads = 1
      configuration[keyPath: number] = value
      #expect {
        try EmbeddedEngine(
          bundle: ModelBundle(directory: fixture.directory), configuration: configuration)
      } throws: {
        ($0 as? InferenceError)?.code == .invalidRequest
      }
    }
  }

  @Test func `Candidates of several sentences share a product only within the bound of memory`()
    async throws
  {
    let steps = Mutex(0)
    let count: @Sendable () -> Void = { steps.withLock { $0 += 1 } }
    let together = try await engine(threads: 1, onStep: count).infer(batch, threshold: -1)
    let few = steps.withLock { steps in
      defer { steps = 0 }
      return steps
    }
    let apart = try await engine(threads: 1, pairFloats: 1, onStep: count)
      .infer(batch, threshold: -1)
    let busy = together.count { !$0.subjects.isEmpty && !$0.objects.isEmpty }
    #expect(busy > 2, "or this test proves nothing")
    // One product for all, against one for each sentence.
    #expect(steps.withLock { $0 } - few == busy - 1)
    #expect(together.map(\.triples.count) == apart.map(\.triples.count))
  }

  @Test func `Groups hold all sentences in order, within the bound but for one alone`() {
    #expect(JointModel.groups([], atMost: 5).isEmpty)
    #expect(JointModel.groups([9], atMost: 5) == [0..<1])
    #expect(JointModel.groups([2, 3, 1, 9, 0, 5], atMost: 5) == [0..<2, 2..<3, 3..<4, 4..<6])
    #expect(JointModel.groups([1, 1, 1], atMost: 0) == [0..<1, 1..<2, 2..<3])
  }
}
