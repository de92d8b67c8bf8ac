import Foundation
import GRPCChannel
import Testing
import Triton

/// NVIDIA's Python client and this one, on the same server with the same request.
@Suite(.timeLimit(.minutes(3))) struct ReferenceTests {
  private struct Line: Decodable {
    let type: String
    let sent: String
    let received: String
  }

  @Test func `Both clients get byte-equal tensors of every element type`() async throws {
    let python = try #require(
      ProcessInfo.processInfo.environment["SPO_CLIENT_PYTHON"],
      "set SPO_CLIENT_PYTHON to a Python with tritonclient[grpc], as Scripts/test does")
    let server = try await Servers.get(.main)
    let script = Project.root.appending(path: "Tests/TritonTests/Reference/client.py").path
    let run = try await Command(python, [script, "\(server.grpc)"])
    #expect(run.status == 0, "\(run.errors)")
    let lines = try run.output.split(separator: "\n").map {
      try JSONDecoder().decode(Line.self, from: Data($0.utf8))
    }
    #expect(Set(lines.map(\.type)) == Set(Datatype.allCases.map(\.rawValue)))
    let client = try server.client()
    for line in lines {
      let got = try await Self.echo(client, line)
      #expect(got == line.received && got == line.sent, "\(line.type)")
    }
  }

  private static func echo(_ client: TritonClient, _ line: Line) async throws -> String {
    let datatype = try #require(Datatype(rawValue: line.type))
    let bytes = bytes(line.sent)
    let elements = datatype.byteCount.map { bytes.count / $0 } ?? 3
    let input = InferInput(
      "IN_\(line.type)", datatype, shape: [elements], bytes: SharedBytes(bytes))
    let output = RequestedOutput("OUT_\(line.type)")
    let result = try await client.infer(
      InferRequest("identity", inputs: [input], outputs: [output]))
    return try result.output(output.name).bytes.bytes.map { String(format: "%02x", $0) }.joined()
  }

  private static func bytes(_ hex: String) -> [UInt8] {
    stride(from: 0, to: hex.utf8.count, by: 2).map { offset in
      let start = hex.index(hex.startIndex, offsetBy: offset)
      return UInt8(hex[start..<hex.index(start, offsetBy: 2)], radix: 16)!
    }
  }
}
