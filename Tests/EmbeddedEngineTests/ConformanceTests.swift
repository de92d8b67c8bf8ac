import Inference
import TestSupport
import Testing

@testable import EmbeddedEngine

@Suite(.timeLimit(.minutes(2))) struct ConformanceTests {
  @Test(arguments: Fixture.names, EngineCheck.all)
  func `The embedded engine keeps the seam's word`(_ name: String, _ check: EngineCheck)
    async throws
  {
    let fixture = try Fixture(name)
    let subject = EngineSubject(sentences: fixture.goldens.map(\.ids)) {
      try fixture.engine(.reference)
    }
    #expect(try await check.violations(subject) == [])
  }
}
