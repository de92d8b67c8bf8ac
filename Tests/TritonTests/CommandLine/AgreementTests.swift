import Foundation
import Testing

/// The main job on the embedded engine and on a real Triton that serves the exported models.
@Suite(.timeLimit(.minutes(5))) struct AgreementTests {
  static let texts = [
    "《宝宝观察力训练》是2009年上海科学普及出版社出版的图书，作者是林怡育儿工作室。",
    "《离开》是由张宇谱曲，演唱",
    "郭麒麟，1996年2月8日出生于北京市，中国内地相声演员、影视男演员，郭德纲之子",
    "《霍元甲》是2006年由于仁泰导演，李连杰、孙俪等主演的动作电影",
    "华为技术有限公司成立于1987年，总部位于广东省深圳市龙岗区，创始人是任正非",
    "《红楼梦》的作者是曹雪芹", "周杰伦与昆凌于2015年1月17日在英国约克郡举行婚礼",
    "李白，字太白，号青莲居士，唐代诗人，著有《将进酒》《静夜思》等",
    "上海迪士尼乐园位于上海市浦东新区川沙新镇，2016年6月16日正式开园", "鲁迅原名周树人，浙江绍兴人",
    "《三体》是刘慈欣创作的长篇科幻小说，由重庆出版社出版", "电视剧《琅琊榜》由孔笙、李雪执导，胡歌主演",
    "姚明的妻子是叶莉，两人于2007年结婚", "短", "2020年", "Python是吉多·范罗苏姆创造的编程语言",
  ]

  private struct Answer: Decodable {
    struct Triple: Decodable, Hashable {
      struct Mention: Decodable, Hashable {
        let text: String
        let start: Int
      }
      let subject: Mention
      let predicate: String
      let object: Mention
      let score: Double
    }
    let triples: [Triple]
  }

  private func extract(_ words: [String]) async throws -> [Answer] {
    let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).txt")
    try Data(Self.texts.joined(separator: "\n").utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let run = try await Command.spo(
      ["extract", file.path, "--quiet", "--threshold", "-2", "--bundle", Project.demo.path] + words)
    #expect(run.status == 0, "\(run.errors)")
    return try run.output.split(separator: "\n").map {
      try JSONDecoder().decode(Answer.self, from: Data($0.utf8))
    }
  }

  @Test func `spo_onnx and spo_pt give the triples of the embedded engine`() async throws {
    let server = try await Servers.get(.production)
    let embedded = try await extract([])
    #expect(embedded.count == Self.texts.count && embedded.contains { !$0.triples.isEmpty })
    let ways =
      ["spo_onnx", "spo_pt"].map { ["--model", $0, "--plan", "dense"] }
      + [
        [], ["--plan", "compact-ensemble"], ["--model", "spo_pt", "--plan", "compact-ensemble"],
        ["--model", "spo_compact_pt"],
      ]
    for model in ways {
      let served = try await extract(["--server", server.address] + model)
      #expect(served.count == embedded.count)
      for (ours, theirs) in zip(embedded, served) {
        #expect(ours.triples.map(\.subject) == theirs.triples.map(\.subject), "\(model)")
        #expect(ours.triples.map(\.object) == theirs.triples.map(\.object), "\(model)")
        #expect(ours.triples.map(\.predicate) == theirs.triples.map(\.predicate), "\(model)")
        let differences = zip(ours.triples, theirs.triples).map { abs($0.score - $1.score) }
        #expect((differences.max() ?? 0) < 1e-3, "\(model)")
      }
    }
  }

  /// The bytes of the output, with what was said beside it.
  private func output(_ words: [String]) async throws -> (output: String, errors: String) {
    // Given one by one: the name of a file would be part of the output.
    let texts = Self.texts.flatMap { ["--text", $0] }
    let run = try await Command.spo(["extract", "--bundle", Project.demo.path] + texts + words)
    #expect(run.status == 0, "\(run.errors)")
    return (run.output, run.errors)
  }

  @Test func `Dropping in an ensemble changes the plan and no byte of the output`() async throws {
    let served = ["spo_onnx"].map { "model_repository/\($0)" }
    let before = ServerKind(name: "before", models: [], others: served)
    let added = ["spo_decode", "spo_onnx_compact"].map { "model_repository/\($0)" }
    let after = ServerKind(name: "after", models: [], others: served + added)
    var runs: [(output: String, errors: String)] = []
    for kind in [before, after] {
      let server = try await Servers.get(kind)
      // One at a time: on some machines a batch that Triton makes of two requests rounds otherwise.
      let words = ["--server", server.address, "--explain-plan", "--concurrency", "1"]
      runs.append(try await output(words))
    }
    #expect(runs[0].output == runs[1].output && !runs[0].output.isEmpty)
    #expect(runs[0].errors.contains("chosen   dense-shm"), "\(runs[0].errors)")
    #expect(runs[1].errors.contains("chosen   compact-ensemble  spo_onnx_compact"))
    #expect(runs[1].errors.contains("0 asked again"))
  }

  @Test func `A machine without room for shared answers gets them through gRPC, and is told`()
    async throws
  {
    let server = try await Servers.get(.production)
    // No file, and so no region, above 500 KiB.
    let limited = try await Command(
      "/bin/bash",
      [
        "-c", "trap '' XFSZ; ulimit -f 500; exec \"$@\"", "spo", Project.spo.path, "extract",
        "--server", server.address, "--plan", "dense-shm", "--bundle", Project.demo.path,
        "--concurrency", "1",
      ] + Self.texts.flatMap { ["--text", $0] })
    #expect(limited.status == 0, "\(limited.errors)")
    #expect(limited.errors.contains("in a lesser way: cannot allocate"), "\(limited.errors)")
    let dense = ["--server", server.address, "--plan", "dense", "--concurrency", "1"]
    #expect(try await output(dense).output == limited.output)
  }

  @Test func `bench measures and tells the best number in flight`() async throws {
    let server = try await Servers.get(.production)
    let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).txt")
    try Data(Self.texts.joined(separator: "\n").utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let bench = ["bench", file.path, "--server", server.address, "--bundle", Project.demo.path]
    let run = try await Command.spo(
      bench + ["--in-flight", "1,2", "--window", "0.3", "--p99", "100000", "--json"])
    #expect(run.status == 0, "\(run.errors)")
    let report = try #require(
      try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
    let points = try #require(report["points"] as? [[String: Any]])
    #expect(points.map { $0["in_flight"] as? Int } == [1, 2])
    for point in points {
      for (key, least) in [
        ("sentences_per_second", 0.1), ("p50_milliseconds", 0.1), ("compute_milliseconds", 0.1),
        ("server_batch", 1), ("sent_bytes_per_sentence", 100),
        ("received_bytes_per_sentence", 3_000), ("client_microseconds_per_sentence", 1),
      ] {
        #expect(point[key] as? Double ?? 0 >= least, "\(key): \(point)")
      }
    }
    #expect(report["best"] != nil && report["route"] as? String == "compact-native")
    let none = try await Command.spo(bench + ["--in-flight", "0"])
    #expect(none.status == 2 && none.errors.contains("expected numbers such as"))
  }

  @Test func `doctor names what one server of a list lacks`() async throws {
    let list = [try await Servers.get(.production), try await Servers.get(.tls)]
      .map { "127.0.0.1:\($0.grpc)" }.joined(separator: ",")
    let plain = [try await Servers.get(.production), try await Servers.get(.main)]
      .map { "127.0.0.1:\($0.grpc)" }.joined(separator: ",")
    for (servers, words) in [(plain, "lacks"), (list, "PROBLEM cluster")] {
      let run = try await Command.spo([
        "doctor", "--server", servers, "--model", "spo_onnx", "--bundle", Project.demo.path,
      ])
      #expect(run.status != 0 && run.output.contains(words), "\(run.output)")
    }
  }

  @Test func `doctor finds nothing to mend`() async throws {
    let server = try await Servers.get(.production)
    let run = try await Command.spo(
      [
        "doctor", "--server", server.address, "--model", "spo_onnx", "--bundle", Project.demo.path,
      ])
    #expect(run.status == 0, "\(run.output)")
    #expect(!run.output.contains("PROBLEM"), "\(run.output)")
    for check in ["reach", "version", "contract", "plan", "size", "shm", "inference"] {
      #expect(run.output.contains(check), "\(run.output)")
    }
  }
}
