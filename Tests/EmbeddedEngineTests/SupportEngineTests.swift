import GlobalPointer
import Inference
import Testing
import TestSupport

/// The engines that other tests lean on do what they say.
@Suite struct SupportEngineTests {
  private let batch = InferenceBatch([[2, 5, 3]])

  @Test func `A failing engine fails at the calls it was told, and only there`() async throws {
    let engine = FailingEngine(try Fixture("global").engine(.reference), nth: [2, 3])
    for call in 1...4 {
      let failed: Bool
      do throws(InferenceError) {
        _ = try await engine.infer(batch, threshold: 0)
        failed = false
      } catch { failed = error.code == .engineFailure }
      #expect(failed == [2, 3].contains(call))
    }
    #expect(engine.callCount == 4)
  }

  @Test func `A gated engine holds calls until they are released, cancelled or all let go`()
    async throws
  {
    let engine = GatedEngine(try Fixture("global").engine(.reference))
    let tasks = try await started(3, on: engine)
    #expect(engine.waiting == [0, 1, 2])
    tasks[1].cancel()
    #expect(await tasks[1].value == .cancelled)
    #expect(engine.cancelled == [1])
    engine.release(2, throwing: InferenceError(code: .overloaded, message: "too much"))
    #expect(await tasks[2].value == .overloaded)
    engine.open()
    #expect(await tasks[0].value == nil)
    #expect(try await engine.infer(batch, threshold: 0).count == 1)
    #expect(engine.mostAtOnce == 3)
    #expect(engine.calls.count == 4)
  }

  /// Tasks whose calls arrive one after the other; each gives the code of its error.
  private func started(
    _ count: Int, on engine: GatedEngine<some InferenceEngine>
  ) async throws -> [Task<InferenceError.Code?, Never>] {
    var tasks: [Task<InferenceError.Code?, Never>] = []
    for number in 1...count {
      tasks.append(
        Task {
          do throws(InferenceError) {
            _ = try await engine.infer(batch, threshold: 0)
          } catch { return error.code }
          return nil
        })
      await engine.arrivals(number)
    }
    return tasks
  }
}
