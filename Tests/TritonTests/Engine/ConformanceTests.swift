import Inference
import RelationServing
import TestSupport
import Testing

/// A served model keeps the seam's word, whichever way it is asked.
@Suite(.timeLimit(.minutes(5))) struct ConformanceTests {
  private func subject(_ route: ServingRoute) -> EngineSubject {
    let sentences: [[Int32]] = [
      [101, 5, 9, 12, 7, 102], Array(101...120), [101, 33, 102], [101, 8, 8, 8, 8, 102],
    ]
    return EngineSubject(sentences: sentences, threshold: 2) {
      var configuration = TritonEngine.Configuration()
      configuration.route = route
      return try await TritonEngine(
        client: try await Servers.get(.compact).client(), model: "spo_dense",
        shape: ModelShape(
          vocabularySize: 1_000, predicateCount: ContractLogits.predicates, maximumTokens: 64),
        configuration: configuration)
    }
  }

  @Test(arguments: ServingRoute.allCases, EngineCheck.all)
  func `A served model keeps the seam's word`(_ route: ServingRoute, _ check: EngineCheck)
    async throws
  {
    #expect(try await check.violations(subject(route)) == [])
  }
}
