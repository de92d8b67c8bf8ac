import Foundation
import TestSupport
import Testing
import Triton

@testable import spo

// One at a time: a child started meanwhile would inherit, and hold open, another's pipes.
@Suite(.ownThread, .timeLimit(.minutes(5))) struct ServerOptionTests {
  private static let nobody = ["--server", "127.0.0.1:1"]

  /// A file of its own with this text.
  private func file(_ text: String) throws -> String {
    let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }

  @Test("Bug: a header without a name, a separator or a legal name is refused and never shown")
  func secretsInHeaders() throws {
    let path = try file("# a comment\n\nauthorization: Bearer s3cr3t\ns3cr3t\n")
    defer { try? FileManager.default.removeItem(atPath: path) }
    for (words, place) in [
      (["--header", "authorizations3cr3t"], "--header has neither"),
      (["--header", "=s3cr3t"], "--header has no name"),
      (["--header", "a=b", "--header", ":s3cr3t"], "--header number 2 has no name"),
      (["--header", "s3cr3t s3cr3t=x"], "--header: the name"),
      (["--header", "authorization=s3cr3t\u{1}"], "not printable"),
      (["--header", "te=s3cr3t"], "gRPC writes te itself"),
      (["--header-file", path], "line 4 has neither"),
    ] {
      let run = try Run(["server", "live"] + Self.nobody + words)
      #expect(run.status == 2 && run.errors.contains(place), "\(run.errors)")
      #expect(!run.errors.contains("s3cr3t") && run.output.isEmpty)
    }
  }

  @Test("Bug: curl's form of a header is understood; no error of a call shows it")
  func curlsForm() throws {
    let path = try file("authorization: Bearer s3cr3t\nx-key=s3cr3t=\n")
    defer { try? FileManager.default.removeItem(atPath: path) }
    for words in [["--header", "authorization: Bearer s3cr3t"], ["--header-file", path]] {
      let run = try Run(["server", "live"] + Self.nobody + words)
      #expect(run.status == 3 && run.errors.contains("Connection refused"), "\(run.errors)")
      #expect(!run.errors.contains("s3cr3t"))
    }
  }

  @Test("Headers come from lines of text, with comments, blanks and values that hold separators")
  func headerLines() throws {
    let text = "# no\n\n  a = b\r\nauthorization:  Bearer x=y:z  \nc==\n"
    #expect(throws: (any Error).self) { try HeaderLines(text: text, from: "f") }
    let good = try HeaderLines(text: text.replacing("a = b", with: "a=b"), from: "f")
    var metadata: Metadata = [:]
    good.add(to: &metadata)
    #expect(metadata["a"] == "b" && metadata["c"] == "=")
    #expect(metadata["authorization"] == "Bearer x=y:z")
  }

  @Test("Bug: numbers, files and addresses that cannot be get a sentence and exit code 2")
  func sentences() throws {
    let list = try file("[1]")
    defer { try? FileManager.default.removeItem(atPath: list) }
    for (words, text) in [
      (["ready", "--wait", "1e300"], "--wait is 1e+300"),
      (["ready", "--wait", "nan"], "--wait is nan"),
      (["live", "--timeout", "inf"], "--timeout is inf"),
      (["live", "--patience", "1e300"], "--patience is 1e+300"),
      (["load", "m", "--config", "/nowhere/missing.json"], "is not there"),
      (["load", "m", "--config", list], "no JSON object"),
      (["live", "--header-file", "/nowhere/headers"], "/nowhere/headers cannot be read"),
      (["live", "--server", "http://localhost:8001"], "begins with http://"),
      (["live", "--server", "localhost:8001, localhost:8002"], "blanks"),
      (["live", "--server", "127.0.0.1:1,,127.0.0.1:2"], "comma too many"),
      (["live", "--server", ""], "is empty"),
    ] {
      let run = try Run(["server"] + words)
      #expect(run.status == 2 && run.errors.contains(text), "\(words): \(run.errors)")
    }
  }

  @Test("Bug: TLS files that cannot be used are named as the cause, exit code 42, in one line")
  func badKey() throws {
    let key = try file("-----BEGIN PRIVATE KEY-----\nno key\n-----END PRIVATE KEY-----\n")
    let chain = try file("-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n")
    defer { for path in [key, chain] { try? FileManager.default.removeItem(atPath: path) } }
    let run = try Run(
      ["server", "live"] + Self.nobody + ["--tls-cert", chain, "--tls-key", key])
    #expect(run.status == 42 && run.errors.contains("certificate and key belong together"))
    #expect(run.errors.split(separator: "\n").count == 1, "\(run.errors)")
  }

  @Test("Bug: what commands a terminal, or turns its text around, is shown escaped")
  func terminal() {
    let hostile = "a\u{1B}[31mb\u{9B}2Jc\u{202E}d\u{7F}\u{2028}\r\n\te\0"
    #expect(
      hostile.terminalSafe
        == "a\\u001b[31mb\\u009b2Jc\\u202ed\\u007f\\u2028\\r\n\te\\u0000")
    #expect("a\nb\tc".terminalSafeLine == "a\\nb\\tc")
    let plain = "《离开》 — 张宇 🎵 é\n"
    #expect(plain.terminalSafe == plain)
    var table = Table("NAME")
    table.rows.append(["\u{1B}]0;x\u{7}\nfake row"])
    #expect(table.description == "NAME\n\\u001b]0;x\\u0007\\nfake row")
  }
}
