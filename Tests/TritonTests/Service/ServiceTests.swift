import Foundation
import RelationExtraction
import RelationServing
import Testing
import Triton

/// The library as a service uses it: no `@testable`, no program.
@Suite(.timeLimit(.minutes(5))) struct ServiceTests {
  private static let bodies = [
    "《红楼梦》的作者是曹雪芹", "", "《离开》是由张宇谱曲，演唱", "姚明的妻子是叶莉，两人于2007年结婚",
  ]

  private func replies(_ service: TripleService) async throws -> [Int: TripleService.Reply] {
    let messages = AsyncStream<TripleService.Message> { stream in
      for (place, body) in Self.bodies.enumerated() {
        stream.yield(.init(id: 100 - place, body: body))
      }
      stream.finish()
    }
    var all: [Int: TripleService.Reply] = [:]
    try await service.answer(messages) { all[$0] = $1 }
    return all
  }

  @Test func `A service answers the same from a server and in its own process`() async throws {
    let bundle = try ModelBundle(directory: Project.demo)
    let embedded = try await replies(try await TripleService(bundle, server: nil))
    let server = try await Servers.get(.production)
    let served = try await TripleService(bundle, server: server.address)
    #expect(try await replies(served) == embedded)
    await served.extractor.engine.close()
    #expect(embedded.count == Self.bodies.count && embedded[99] == .triples([]))
    #expect(embedded[98] == .triples(["离开 歌手 张宇", "离开 作曲 张宇"]))
  }

  @Test func `Bug: the library gave other confidences than the program`() async throws {
    let bundle = try ModelBundle(directory: Project.demo)
    let service = try await TripleService(bundle, server: nil)
    let triples = try await service.extractor.extract(Self.bodies[2])
    let run = try await Command.spo(
      ["extract", "--format", "tsv", "--quiet", "--bundle", Project.demo.path, "--text"]
        + [Self.bodies[2]])
    let written = run.output.split(separator: "\n").dropFirst().map { $0.split(separator: "\t") }
    #expect(written.map { String($0.last ?? "") } == triples.map { "\($0.confidence)" })
  }

  @Test func `A service tells errors apart by their codes`() async throws {
    let bundle = try ModelBundle(directory: Project.demo)
    let server = try await Servers.get(.production)
    let service = try await TripleService(bundle, server: server.address)
    let tooLong = InferenceBatch([Array(repeating: 1, count: 513)])
    let error = await #expect(throws: InferenceError.self) {
      try await service.extractor.engine.infer(tooLong, threshold: 0)
    }
    #expect(error.map(TripleService.status) == 400)
    await service.extractor.engine.close()
  }
}
