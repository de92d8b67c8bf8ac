import GRPCChannel
import Testing

@Suite struct TargetTests {
  @Test func `A host and a port become a DNS target`() throws {
    #expect(try Target("localhost:8001").uri == "dns:///localhost:8001")
  }
}
